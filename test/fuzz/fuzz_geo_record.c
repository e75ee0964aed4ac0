/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Any bytes as the data section of a country database, with a record at each offset of its start. A
 * text that is found lies inside the section.
 */
#include "geo/geo_record.h"

#include <stdlib.h>

#define OFFSETS_MAX 64

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const nested[] = {"country", "iso_code", NULL};
    static const char *const flat[] = {"country_code", NULL};
    static const char *const item[] = {"subdivisions", "1", "iso_code", NULL};
    static const char *const *const paths[] = {nested, flat, item};
    struct geo_record_section section = {data, size};
    for (size_t offset = 0; offset <= size && offset < OFFSETS_MAX; offset++) {
        for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
            struct geo_record_text found;
            if (geo_record_find(&section, offset, paths[i], &found) != GEO_RECORD_TEXT) {
                continue;
            }
            const uint8_t *text = (const uint8_t *)found.text;
            if (text < data || text > data + size || found.len > (size_t)(data + size - text)) {
                abort();
            }
        }
    }
    return 0;
}
