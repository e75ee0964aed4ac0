/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * `bailiwick country`: where are these addresses, and how is that known?
 */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "forwarder/cli/cli_options.h"
#include "forwarder/cli/cli_output.h"
#include "forwarder/cli/cli_set.h"
#include "forwarder/cli/command.h"
#include "forwarder/explain/explain.h"
#include "forwarder/explain/explanation_why.h"
#include "forwarder/explain/json_put.h"
#include "forwarder/explain/plain_text.h"
#include "geo/geo_db.h"
#include "geo/locate.h"
#include "policy/instant.h"

#define TYPE_MAX 256

static bool show_json(const struct generation *generation, const struct address *address,
                      const struct location *location)
{
    json_t *object = json_object();
    explain_put_place(&object, address, location);
    json_put_text(&object, "database", geo_db_type(generation->db));
    json_put_instant(&object, "built", geo_db_built(generation->db));
    bool written = cli_output_json(object);
    json_decref(object);
    return written;
}

static bool show(const struct generation *generation, const struct address *address, bool json)
{
    struct location location;
    locate(generation->db, generation->overrides, address, &location);
    if (json) {
        return show_json(generation, address, &location);
    }
    explanation_why_place(address, &location, stdout);
    putchar('\n');
    return true;
}

static void show_database(const struct generation *generation)
{
    char type[TYPE_MAX];
    char built[INSTANT_TEXT_MAX];
    printf("database %s, built %s\n", plain_text(geo_db_type(generation->db), type, sizeof type),
           instant_format(geo_db_built(generation->db), built));
}

/* All or none: what is no address is told before any is looked up. */
static bool parse_all(const struct cli_options *options, struct address *addresses)
{
    for (int i = 0; i < options->operand_count; i++) {
        const char *text = options->operands[i];
        if (!address_parse(text, strlen(text), &addresses[i])) {
            char why[WHY_MAX];
            snprintf(why, sizeof why, "not an IPv4 or IPv6 address: %.200s", text);
            cli_output_usage("country", why);
            return false;
        }
    }
    return true;
}

static enum command_exit show_all(const struct cli_options *options,
                                  const struct address *addresses)
{
    struct cli_set set;
    bool json = cli_options_has(options, CLI_OPTION_JSON);
    bool written = true;
    int64_t now = (int64_t)time(NULL);
    if (!cli_set_load(&set, cli_options_config(options), now, now)) {
        return COMMAND_FAILED;
    }
    for (int i = 0; written && i < options->operand_count; i++) {
        written = show(set.generation, &addresses[i], json);
    }
    if (!json) {
        show_database(set.generation);
    }
    cli_set_free(&set);
    return written ? COMMAND_DONE : COMMAND_FAILED;
}

enum command_exit cmd_country(const struct cli_options *options)
{
    struct address *addresses = calloc((size_t)options->operand_count, sizeof *addresses);
    enum command_exit status = COMMAND_MISUSED;
    if (addresses == NULL) {
        cli_output_error("out of memory");
        return COMMAND_FAILED;
    }
    if (parse_all(options, addresses)) {
        status = show_all(options, addresses);
    }
    free(addresses);
    return status;
}
