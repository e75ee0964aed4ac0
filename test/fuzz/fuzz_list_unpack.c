/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Packed lists of names: the first octet says how the rest is packed.
 */
#include "test/fuzz/list_fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool check_pair(void *ctx, const struct dname *name, uint32_t value)
{
    (void)ctx;
    require(name->size > 0 && value <= NAME_FREE_BELOW);
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0) {
        return 0;
    }
    struct list_fuzz fuzz = {.format = NAME_LIST_NAMES,
                             .packing = data[0] % 2 == 0 ? NAME_LIST_GZIP : NAME_LIST_ZSTD,
                             .bytes = (const char *)data + 1,
                             .size = size - 1};
    list_fuzz_read(&fuzz, check_pair);
    return 0;
}
