/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Any octets as a line of queries: a query with a name and a count, nothing, or a reason.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "forwarder/cli/query_record.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct query_record record;
    char why[WHY_MAX] = "";
    char *line = malloc(size + 1);
    if (line == NULL) {
        return 0;
    }
    memcpy(line, data, size);
    line[size] = '\0';
    switch (query_record_parse(line, size, &record, why)) {
    case QUERY_RECORD_ONE:
        if (record.count == 0 || record.name.size == 0) {
            abort();
        }
        break;
    case QUERY_RECORD_NOTHING:
        break;
    case QUERY_RECORD_BAD:
        if (why[0] == '\0') {
            abort();
        }
        break;
    }
    free(line);
    return 0;
}
