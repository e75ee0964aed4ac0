/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Output of the operator's tool (see cli_output.h).
 */
#include "forwarder/cli/cli_output.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "forwarder/explain/plain_text.h"

#define MESSAGE_MAX 4096

void cli_output_error(const char *format, ...)
{
    char message[MESSAGE_MAX];
    char plain[MESSAGE_MAX];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    fprintf(stderr, "bailiwick: %s\n", plain_text(message, plain, sizeof plain));
}

void cli_output_usage(const char *command, const char *why)
{
    cli_output_error("%s: %s; see 'bailiwick help %s'", command, why, command);
}

bool cli_output_json(const json_t *object)
{
    char *line = json_dumps(object, JSON_COMPACT | JSON_PRESERVE_ORDER | JSON_REAL_PRECISION(12));
    if (line == NULL) {
        cli_output_error("out of memory");
        return false;
    }
    bool written = puts(line) != EOF;
    free(line);
    return written;
}
