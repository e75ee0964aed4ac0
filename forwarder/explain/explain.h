/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Why would this client get this answer now? From a generation and a question to the explanation:
 * as an object for programs (`bailiwick test --json`, see bailiwick(1)), and as text for a person.
 * The operator's tool asks with the generation it has loaded, the daemon with the one in force.
 */
#pragma once

#include <jansson.h>

struct address;
struct explain_question;
struct generation;
struct location;

/* The object of `bailiwick test --json`, keys in their documented order; the caller has the
 * reference. NULL only when memory is out. */
json_t *explain_json(const struct generation *generation, const struct explain_question *question);

/* Several lines, each with its line end: where the address is and how that is known, every order
 * that names the name with why it does or does not bind, the verdict, and the answer such a client
 * would get. Plain UTF-8; the caller frees it. NULL only when memory is out. */
char *explain_text(const struct generation *generation, const struct explain_question *question);

/* Puts where an address is: keys address, country, network and source. */
void explain_put_place(json_t **object, const struct address *address,
                       const struct location *location);
