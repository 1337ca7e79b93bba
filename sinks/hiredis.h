// The only place that includes hiredis. Its headers do not compile under our warnings.
#pragma once

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wpedantic"
#pragma GCC diagnostic ignored "-Wconversion"
#include <hiredis/hiredis.h>
#include <hiredis/hiredis_ssl.h>
#pragma GCC diagnostic pop
