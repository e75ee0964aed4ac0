/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Plans of what is listened to, on ports that are free, and what was wrong with the last ones.
 */
#pragma once

#include "forwarder/config/config_listen.h"
#include "forwarder/server/listen_plan.h"
#include "forwarder/server/listen_rows.h"
#include "forwarder/worker.h"
#include "test/config_text.h"
#include "test/fake_server.h"

/* The configuration, with another port for every address that it lists: one that is free. */
static inline struct config *configure(const char *listen)
{
    char text[TEXT_MAX];
    struct sockaddr_in any = {.sin_family = AF_INET};
    snprintf(text, sizeof text, "%s" UPSTREAM FILES, listen);
    struct config *config = parse_good(text);
    int probe = fake_socket(SOCK_STREAM, &any);
    close(probe);
    for (size_t i = 0; i < config->listen_count; i++) {
        struct sockaddr_in *address = (struct sockaddr_in *)&config->listen[i].address.sockaddr;
        address->sin_port = any.sin_port; /* where sin6_port is, too */
    }
    return config;
}

/* The configuration, with the port of another one for every address. */
static inline struct config *configure_as(const char *listen, const struct config *other)
{
    struct config *config = configure(listen);
    for (size_t i = 0; i < config->listen_count; i++) {
        ((struct sockaddr_in *)&config->listen[i].address.sockaddr)->sin_port =
            ((const struct sockaddr_in *)&other->listen[0].address.sockaddr)->sin_port;
    }
    return config;
}

static struct listen_rows *rows;
static struct problem_list problems;

static inline void set_up(void)
{
    rows = listen_rows_new();
    ck_assert_ptr_nonnull(rows);
    problem_list_init(&problems);
}

static inline void tear_down(void)
{
    problem_list_fini(&problems);
    listen_rows_free(rows);
}

/* A whole plan for so many workers. */
static inline struct listen_plan *plan_for(struct config *config, unsigned workers,
                                           const struct listen_plan *before)
{
    char why[WHY_MAX] = "";
    config->workers = workers;
    struct listen_plan *plan = listen_plan_make(rows, config, before, &problems);
    ck_assert_msg(plan != NULL, "%s", problems.count > 0 ? problems.items[0].text : "");
    ck_assert_msg(listen_plan_complete(plan, NULL, why) == NULL, "%s", why);
    return plan;
}
