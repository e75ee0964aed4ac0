/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Hosts files. Whatever comes out blocks single names that the guard lets pass, and nothing else.
 */
#include "test/fuzz/list_fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool check_pair(void *ctx, const struct dname *name, uint32_t value)
{
    const struct list_fuzz *fuzz = ctx;
    char why[WHY_MAX];
    require(value == NAME_EXACT);
    require(guard_judge(fuzz->guard, name, why) == GUARD_FREE);
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct list_fuzz fuzz = {.format = NAME_LIST_HOSTS, .bytes = (const char *)data, .size = size};
    list_fuzz_read(&fuzz, check_pair);
    return 0;
}
