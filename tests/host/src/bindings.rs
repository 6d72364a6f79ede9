//! Generated from `wit/`: the two interfaces of Spin.

wasmtime::component::bindgen!({
    path: "wit",
    world: "local:host/imports",
    imports: { default: async | trappable },
    with: {
        "spin:postgres/postgres.connection": crate::postgres::Connection,
        "spin:postgres/postgres.connection-builder": crate::postgres::Builder,
    },
    require_store_data_send: true,
});
