// The types that every PostgreSQL has, with their fixed OIDs (pg_type.dat of PostgreSQL 15; OIDs below 10000 never
// change their meaning). Later versions' types are read from the catalogue like everybody's own.
#include "replication/relation.h"

#include <array>
#include <string_view>
#include <utility>

namespace walrelay::replication {
namespace {

using Kind = TypeKind;

constexpr Oid kBox = 603;  // the one type whose arrays are separated by semicolons

struct BuiltinType {
  Oid oid;
  Oid array;  // 0: there is none
  Kind kind;
  std::string_view name;
};

constexpr auto kBuiltinTypes = std::to_array<BuiltinType>({
    {16, 1000, Kind::boolean, "boolean"},
    {17, 1001, Kind::bytea, "bytea"},
    {18, 1002, Kind::text, "\"char\""},
    {19, 1003, Kind::text, "name"},
    {20, 1016, Kind::integer, "bigint"},
    {21, 1005, Kind::integer, "smallint"},
    {22, 1006, Kind::other, "int2vector"},
    {23, 1007, Kind::integer, "integer"},
    {24, 1008, Kind::other, "regproc"},
    {25, 1009, Kind::text, "text"},
    {26, 1028, Kind::integer, "oid"},
    {27, 1010, Kind::other, "tid"},
    {28, 1011, Kind::other, "xid"},
    {29, 1012, Kind::other, "cid"},
    {30, 1013, Kind::other, "oidvector"},
    {114, 199, Kind::json, "json"},
    {142, 143, Kind::other, "xml"},
    {194, 0, Kind::other, "pg_node_tree"},
    {600, 1017, Kind::other, "point"},
    {601, 1018, Kind::other, "lseg"},
    {602, 1019, Kind::other, "path"},
    {603, 1020, Kind::other, "box"},
    {604, 1027, Kind::other, "polygon"},
    {628, 629, Kind::other, "line"},
    {650, 651, Kind::other, "cidr"},
    {700, 1021, Kind::floating, "real"},
    {701, 1022, Kind::floating, "double precision"},
    {718, 719, Kind::other, "circle"},
    {774, 775, Kind::other, "macaddr8"},
    {790, 791, Kind::other, "money"},
    {829, 1040, Kind::other, "macaddr"},
    {869, 1041, Kind::other, "inet"},
    {1033, 1034, Kind::other, "aclitem"},
    {1042, 1014, Kind::text, "character"},
    {1043, 1015, Kind::text, "character varying"},
    {1082, 1182, Kind::date, "date"},
    {1083, 1183, Kind::time, "time without time zone"},
    {1114, 1115, Kind::timestamp, "timestamp without time zone"},
    {1184, 1185, Kind::timestamptz, "timestamp with time zone"},
    {1186, 1187, Kind::interval, "interval"},
    {1266, 1270, Kind::timetz, "time with time zone"},
    {1560, 1561, Kind::other, "bit"},
    {1562, 1563, Kind::other, "bit varying"},
    {1700, 1231, Kind::numeric, "numeric"},
    {1790, 2201, Kind::other, "refcursor"},
    {2202, 2207, Kind::other, "regprocedure"},
    {2203, 2208, Kind::other, "regoper"},
    {2204, 2209, Kind::other, "regoperator"},
    {2205, 2210, Kind::other, "regclass"},
    {2206, 2211, Kind::other, "regtype"},
    {2950, 2951, Kind::uuid, "uuid"},
    {2970, 2949, Kind::other, "txid_snapshot"},
    {3220, 3221, Kind::other, "pg_lsn"},
    {3361, 0, Kind::other, "pg_ndistinct"},
    {3402, 0, Kind::other, "pg_dependencies"},
    {3614, 3643, Kind::other, "tsvector"},
    {3615, 3645, Kind::other, "tsquery"},
    {3642, 3644, Kind::other, "gtsvector"},
    {3734, 3735, Kind::other, "regconfig"},
    {3769, 3770, Kind::other, "regdictionary"},
    {3802, 3807, Kind::json, "jsonb"},
    {3904, 3905, Kind::other, "int4range"},
    {3906, 3907, Kind::other, "numrange"},
    {3908, 3909, Kind::other, "tsrange"},
    {3910, 3911, Kind::other, "tstzrange"},
    {3912, 3913, Kind::other, "daterange"},
    {3926, 3927, Kind::other, "int8range"},
    {4072, 4073, Kind::other, "jsonpath"},
    {4089, 4090, Kind::other, "regnamespace"},
    {4096, 4097, Kind::other, "regrole"},
    {4191, 4192, Kind::other, "regcollation"},
    {4451, 6150, Kind::other, "int4multirange"},
    {4532, 6151, Kind::other, "nummultirange"},
    {4533, 6152, Kind::other, "tsmultirange"},
    {4534, 6153, Kind::other, "tstzmultirange"},
    {4535, 6155, Kind::other, "datemultirange"},
    {4536, 6157, Kind::other, "int8multirange"},
    {4600, 0, Kind::other, "pg_brin_bloom_summary"},
    {4601, 0, Kind::other, "pg_brin_minmax_multi_summary"},
    {5017, 0, Kind::other, "pg_mcv_list"},
    {5038, 5039, Kind::other, "pg_snapshot"},
    {5069, 271, Kind::other, "xid8"},
});

}  // namespace

TypeCatalog::TypeCatalog() {
  for (const auto& builtin : kBuiltinTypes) {
    ColumnType type;
    type.oid = builtin.oid;
    type.kind = builtin.kind;
    type.name = builtin.name;
    const ColumnType* element = add(std::move(type));
    if (builtin.array == 0) continue;
    ColumnType array;
    array.oid = builtin.array;
    array.kind = Kind::array;
    array.name = element->name + "[]";
    array.element = element;
    array.delimiter = builtin.oid == kBox ? ';' : ',';
    add(std::move(array));
  }
}

const ColumnType* TypeCatalog::find(Oid oid) const {
  const auto found = by_oid_.find(oid);
  return found == by_oid_.end() ? nullptr : found->second;
}

const ColumnType* TypeCatalog::add(ColumnType type) {
  const auto* added = owned_.emplace_back(std::make_unique<ColumnType>(std::move(type))).get();
  by_oid_[added->oid] = added;
  return added;
}

}  // namespace walrelay::replication
