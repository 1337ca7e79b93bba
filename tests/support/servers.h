// The servers that system tests run against: real, throw-away, free ports, gone at the end whatever happens.
//
//   Postgres     a cluster from a template that initdb filled once (support/postgres_server.h)
//   Redis        a redis-server and a client that speaks to it (support/redis_server.h)
//   Walrelay     the program under test with a configuration of the test's own (support/walrelay_process.h)
#pragma once

#include "tests/support/eventually.h"
#include "tests/support/postgres_server.h"
#include "tests/support/redis_server.h"
#include "tests/support/walrelay_process.h"
