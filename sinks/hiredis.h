// The only place that includes hiredis. Its headers do not compile under our warnings.
#pragma once

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wpedantic"
#pragma GCC diagnostic ignored "-Wconversion"
extern "C" {  // it does not say so itself
#include <hiredis/sds.h>
}
#include <hiredis/hiredis.h>
#include <hiredis/hiredis_ssl.h>
#pragma GCC diagnostic pop
