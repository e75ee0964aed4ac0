/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A load that ends with its first step (see generation_guard.h).
 */
#include "forwarder/generation/generation_guard.h"

#include "forwarder/generation/generation_files.h"
#include "forwarder/generation/generation_work.h"
#include "policy/guard.h"

struct guard *generation_guard_read(struct config *config, struct problem_list *problems)
{
    const struct generation_options options = {.config = config};
    struct generation_private private = {0};
    struct generation result = {.config = config, .private = &private};
    struct generation_work work = {.options = &options, .problems = problems, .result = &result};
    generation_files_read_protected(&work);
    file_bytes_fini(&private.protected_names);
    if (work.unusable) {
        guard_free(work.guard);
        return NULL;
    }
    return work.guard;
}
