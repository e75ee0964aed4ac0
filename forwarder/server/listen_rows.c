/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Rows of `listen`, kept (see listen_rows.h).
 */
#include "forwarder/server/listen_rows.h"

#include <stdlib.h>
#include <sys/queue.h>

#include "forwarder/config/config_listen.h"

struct row {
    struct config_listen *listen; /* an array of one */
    SLIST_ENTRY(row) link;
};

struct listen_rows {
    SLIST_HEAD(, row) all;
    uint64_t last; /* number that was given */
};

struct listen_rows *listen_rows_new(void)
{
    return calloc(1, sizeof(struct listen_rows));
}

void listen_rows_free(struct listen_rows *rows)
{
    struct row *row;
    while (rows != NULL && (row = SLIST_FIRST(&rows->all)) != NULL) {
        SLIST_REMOVE_HEAD(&rows->all, link);
        config_listen_free(row->listen, 1);
        free(row);
    }
    free(rows);
}

uint64_t listen_rows_number(struct listen_rows *rows)
{
    return ++rows->last;
}

const struct config_listen *listen_rows_intern(struct listen_rows *rows,
                                               const struct config_listen *listen)
{
    struct row *row;
    SLIST_FOREACH(row, &rows->all, link)
    {
        if (config_listen_equal(row->listen, listen)) {
            return row->listen;
        }
    }
    row = calloc(1, sizeof *row);
    if (row == NULL || (row->listen = config_listen_copy(listen, 1)) == NULL) {
        free(row);
        return NULL;
    }
    SLIST_INSERT_HEAD(&rows->all, row, link);
    return row->listen;
}
