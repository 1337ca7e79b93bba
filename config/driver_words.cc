#include "config/driver_words.h"

#include <algorithm>
#include <iterator>

namespace walrelay::config {

namespace {

constexpr DriverWord kRenamed[] = {
    // JDBC
    {"ApplicationName", "application_name"},
    {"connectTimeout", "connect_timeout"},
    {"tcpKeepAlive", "keepalives"},
    {"gssEncMode", "gssencmode"},
    {"channelBinding", "channel_binding"},
    {"kerberosServerName", "krbsrvname"},
    {"sslNegotiation", "sslnegotiation"},
    {"requireAuth", "require_auth"},
    {"targetServerType", "target_session_attrs"},
    {"PGDBNAME", "dbname"},
    {"PGHOST", "host"},
    {"PGPORT", "port"},
    // sqlx, node-postgres and others
    {"ssl-mode", "sslmode"},
    {"ssl_mode", "sslmode"},
    {"sslMode", "sslmode"},
    {"ssl-root-cert", "sslrootcert"},
    {"ssl-ca", "sslrootcert"},
    {"database", "dbname"},
    {"username", "user"},
};

constexpr std::string_view kDropped[] = {
    // pgx and pgxpool; lib/pq
    "pool_max_conns", "pool_min_conns", "pool_min_idle_conns", "pool_max_conn_lifetime",
    "pool_max_conn_lifetime_jitter", "pool_max_conn_idle_time", "pool_health_check_period", "pool_ping_timeout",
    "default_query_exec_mode", "statement_cache_capacity", "statement_cache_mode", "description_cache_capacity",
    "min_read_buffer_size", "prefer_simple_protocol", "binary_parameters", "disable_prepared_binary_result",
    // JDBC
    "adaptiveFetch", "adaptiveFetchMaximum", "adaptiveFetchMinimum", "allowEncodingChanges", "assumeMinServerVersion",
    "authenticationPluginClassName", "autosave", "binaryTransfer", "binaryTransferDisable", "binaryTransferEnable",
    "cancelSignalTimeout", "cleanupSavepoints", "currentSchema", "databaseMetadataCacheFields",
    "databaseMetadataCacheFieldsMiB", "defaultRowFetchSize", "disableColumnSanitiser", "escapeSyntaxCallMode",
    "groupStartupParameters", "gssResponseTimeout", "gssUseDefaultCreds", "hideUnprivilegedObjects",
    "hostRecheckSeconds", "includeCatalogs", "jaasApplicationName", "jaasLogin", "loadBalanceHosts",
    "localSocketAddress", "logServerErrorDetail", "logUnclosedConnections", "loggerFile", "loggerLevel", "loginTimeout",
    "maxResultBuffer", "maxSendBufferSize", "preferQueryMode", "prepareThreshold", "preparedStatementCacheQueries",
    "preparedStatementCacheSizeMiB", "protocolVersion", "queryTimeout", "quoteReturningIdentifiers",
    "reWriteBatchedInserts", "readOnly", "readOnlyMode", "receiveBufferSize", "sendBufferSize", "socketFactory",
    "socketFactoryArg", "socketTimeout", "sslFactoryArg", "sslfactoryarg", "sslResponseTimeout", "sslhostnameverifier",
    "sslpasswordcallback", "sspiServiceClass", "stringtype", "tcpNoDelay", "unknownLength", "useSpnego",
    "xmlFactoryFactory", "characterEncoding", "useUnicode",
    // Prisma
    "schema", "connection_limit", "pool_timeout", "pgbouncer", "statement_cache_size", "socket_timeout", "sslidentity",
    "max_connection_lifetime", "max_idle_connection_lifetime", "single_use_connections",
    // node-postgres, postgres.js, Supabase, Neon and Vercel
    "uselibpqcompat", "supa", "workaround", "pool_mode", "max", "idle_timeout", "max_lifetime", "prepare",
    "connectionTimeoutMillis", "idleTimeoutMillis", "query_timeout", "connectionLimit",
    // asyncpg, psycopg, SQLAlchemy, Django
    "prepared_statement_cache_size", "prepared_statement_name_func", "max_cached_statement_lifetime",
    "max_cacheable_statement_size", "command_timeout", "min_size", "max_size", "conn_max_age", "conn_health_checks",
    "async_fallback",
    // Rails, Ecto, sqlx
    "pool", "pool_size", "checkout_timeout", "reaping_frequency", "prepared_statements", "advisory_locks", "encoding",
    "min_messages", "adapter", "timeout", "queue_target", "queue_interval", "statement-cache-capacity",
    "max_connections", "min_connections", "acquire_timeout",
    // Settings of the session: walrelay pins them itself.
    "search_path", "timezone", "TimeZone", "datestyle", "DateStyle", "statement_timeout", "lock_timeout",
    "idle_in_transaction_session_timeout", "extra_float_digits", "standard_conforming_strings", "intervalstyle"};

constexpr std::string_view kRedisDropped[] = {
    // redis-py
    "decode_responses", "encoding", "encoding_errors", "max_connections", "socket_timeout", "socket_connect_timeout",
    "socket_keepalive", "socket_read_size", "retry_on_timeout", "health_check_interval", "client_name", "lib_name",
    "lib_version", "protocol", "timeout",
    // go-redis and redigo
    "pool_size", "pool_fifo", "pool_timeout", "min_idle_conns", "max_idle_conns", "max_active_conns",
    "conn_max_idle_time", "conn_max_lifetime", "max_conn_age", "idle_timeout", "idle_check_frequency", "dial_timeout",
    "read_timeout", "write_timeout", "max_retries", "min_retry_backoff", "max_retry_backoff", "context_timeout_enabled",
    "network",
    // Lettuce, ioredis and node-redis, StackExchange
    "clientName", "libraryName", "libraryVersion", "family", "keepAlive", "noDelay", "connectionName", "lazyConnect",
    "connectTimeout", "commandTimeout", "maxRetriesPerRequest", "enableReadyCheck", "enableOfflineQueue",
    "enableAutoPipelining", "abortConnect", "syncTimeout", "connect_timeout"};

}  // namespace

const DriverWord* find_driver_word(std::string_view name) {
  for (const DriverWord& word : kRenamed) {
    if (word.name == name) return &word;
  }
  static constexpr DriverWord kNothing{"", ""};
  return std::find(std::begin(kDropped), std::end(kDropped), name) != std::end(kDropped) ? &kNothing : nullptr;
}

std::vector<std::string> driver_words() {
  std::vector<std::string> words(std::begin(kDropped), std::end(kDropped));
  for (const DriverWord& word : kRenamed) words.emplace_back(word.name);
  return words;
}

bool is_redis_client_word(std::string_view name) {
  return std::find(std::begin(kRedisDropped), std::end(kRedisDropped), name) != std::end(kRedisDropped);
}

}  // namespace walrelay::config
