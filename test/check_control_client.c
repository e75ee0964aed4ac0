/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Asking over the control socket: a daemon's answer, and everything that is none.
 */
#include "forwarder/cli/control_client.h"

#include <check.h>
#include <pthread.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "test/scratch.h"
#include "test/suite.h"

/* One connection's worth of daemon: reads a line, writes its answer, closes or holds on. */
struct peer {
    int listener;
    const char *answer;
    bool holds; /* does not close before the client does */
    char request[256];
};

static int listen_at(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
    int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ck_assert_int_ge(listener, 0);
    ck_assert_int_eq(bind(listener, (const struct sockaddr *)&address, sizeof address), 0);
    ck_assert_int_eq(listen(listener, 1), 0);
    return listener;
}

static void *serve(void *ctx)
{
    struct peer *peer = ctx;
    int descriptor = accept(peer->listener, NULL, NULL);
    FILE *stream = fdopen(descriptor, "r+");
    if (fgets(peer->request, sizeof peer->request, stream) == NULL) {
        peer->request[0] = '\0';
    }
    fputs(peer->answer, stream);
    fflush(stream);
    if (peer->holds) {
        fgetc(stream);
    }
    fclose(stream);
    return NULL;
}

/* Asks a peer that answers so. */
static json_t *ask(struct peer *peer, char why[static WHY_MAX])
{
    struct scratch scratch;
    char path[SCRATCH_PATH_MAX];
    pthread_t thread;
    scratch_init(&scratch);
    peer->listener = listen_at(scratch_path(&scratch, "control.sock", path));
    ck_assert_int_eq(pthread_create(&thread, NULL, serve, peer), 0);
    json_t *request = json_pack("{s:s, s:b}", "command", "reload", "strict", 1);
    json_t *response = control_client_ask(path, request, 1, why);
    json_decref(request);
    ck_assert_int_eq(pthread_join(thread, NULL), 0);
    close(peer->listener);
    scratch_fini(&scratch);
    return response;
}

START_TEST(an_answer_is_returned)
{
    char why[WHY_MAX] = "";
    struct peer peer = {.answer = "{\"ok\":false,\"error\":\"no\",\"result\":{\"n\":[1,2]}}\n"};
    json_t *response = ask(&peer, why);
    ck_assert_msg(response != NULL, "%s", why);
    ck_assert_str_eq(peer.request, "{\"command\":\"reload\",\"strict\":true}\n");
    ck_assert_str_eq(json_string_value(json_object_get(response, "error")), "no");
    ck_assert_uint_eq(json_array_size(json_object_get(json_object_get(response, "result"), "n")),
                      2);
    json_decref(response);
}
END_TEST

static const struct {
    const char *label, *answer;
    bool holds;
    const char *why;
} BAD[] = {
    {"nothing", "", false, "the daemon closed the connection without an answer"},
    {"silence", "", true, "the daemon does not answer in time"},
    {"an answer without end", "{\"ok\":true}\n", true, "the daemon does not answer in time"},
    {"cut", "{\"ok\":true", false, "what answers there is not the daemon"},
    {"no JSON", "HTTP/1.1 400 Bad Request\r\n", false, "what answers there is not the daemon"},
    {"no object", "[true]\n", false, "what answers there is not the daemon"},
    {"no ok", "{\"result\":{}}\n", false, "what answers there is not the daemon"},
    {"a strange ok", "{\"ok\":1}\n", false, "what answers there is not the daemon"},
};

START_TEST(what_is_no_answer_is_told)
{
    for (size_t i = 0; i < ROWS(BAD); i++) {
        char why[WHY_MAX] = "";
        struct peer peer = {.answer = BAD[i].answer, .holds = BAD[i].holds};
        ck_assert_msg(ask(&peer, why) == NULL, "%s", BAD[i].label);
        ck_assert_msg(strstr(why, "/control.sock: ") != NULL, "%s: %s", BAD[i].label, why);
        ck_assert_msg(strstr(why, BAD[i].why) != NULL, "%s: %s", BAD[i].label, why);
    }
}
END_TEST

START_TEST(nobody_there_is_told)
{
    struct scratch scratch;
    char path[SCRATCH_PATH_MAX];
    char why[WHY_MAX] = "";
    json_t *request = json_object();
    scratch_init(&scratch);
    scratch_path(&scratch, "control.sock", path);
    ck_assert_ptr_null(control_client_ask(path, request, 1, why));
    ck_assert_ptr_nonnull(strstr(why, "/control.sock: no daemon answers there"));
    ck_assert(control_client_nobody(path));

    close(listen_at(path)); /* a socket that a daemon left behind */
    ck_assert_ptr_null(control_client_ask(path, request, 1, why));
    ck_assert_ptr_nonnull(strstr(why, "/control.sock: no daemon answers there"));

    ck_assert(control_client_nobody(path));
    ck_assert_int_eq(unlink(path), 0);
    int listener = listen_at(path);
    ck_assert(!control_client_nobody(path));
    close(listener);

    char beyond[sizeof((struct sockaddr_un *)0)->sun_path + 1];
    memset(beyond, 'x', sizeof beyond);
    beyond[sizeof beyond - 1] = '\0';
    ck_assert_ptr_null(control_client_ask(beyond, request, 1, why));
    ck_assert_ptr_nonnull(strstr(why, ": too long for the path of a socket"));
    ck_assert(!control_client_nobody(beyond));
    json_decref(request);
    scratch_fini(&scratch);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("control_client");
    TCase *tcase = tcase_create("control_client");
    tcase_add_test(tcase, an_answer_is_returned);
    tcase_add_test(tcase, what_is_no_answer_is_told);
    tcase_add_test(tcase, nobody_there_is_told);
    suite_add_tcase(suite, tcase);
    return suite_run(suite);
}
