/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Rate limits that will surprise (see check_rate_limit.h).
 */
#include "forwarder/explain/check_rate_limit.h"

#include "forwarder/config/config.h"
#include "geo/problem.h"

#define FEW_ANSWERS 5U  /* a network has more than one honest client */
#define FEW_QUERIES 20U /* a browser asks as much for one page */

static bool listens(const struct config *config, enum config_transport transport)
{
    for (size_t i = 0; i < config->listen_count; i++) {
        if (config->listen[i].transport == transport) {
            return true;
        }
    }
    return false;
}

/* One row a finding. */
void check_rate_limit(const struct config *config, struct problem_list *problems)
{
    const struct config_rate_limit *limit = &config->rate_limit;
    const bool set = limit->answers > 0 || limit->queries > 0;
    const bool datagrams = listens(config, CONFIG_UDP);
    const struct {
        bool found;
        const char *text;
    } rows[] = {
        {!set && limit->exempt != NULL,
         "rate-limit.exempt without answers or queries: nothing is limited"},
        {limit->answers > 0 && limit->answers < FEW_ANSWERS,
         "rate-limit.answers is less than 5 a second: honest clients of one network will share it"},
        {limit->queries > 0 && limit->queries < FEW_QUERIES,
         "rate-limit.queries is less than 20 a second: opening one web page may ask more"},
        {limit->answers > 0 && !datagrams,
         "rate-limit.answers is for plain UDP, and no listener has it"},
        {set && datagrams && limit->slip > 0 && !listens(config, CONFIG_TCP),
         "rate-limit.slip leads clients to TCP, and no listener has it"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (rows[i].found) {
            problem_list_add(problems, PROBLEM_WARNING, config->path, 0, 0, "%s", rows[i].text);
        }
    }
}
