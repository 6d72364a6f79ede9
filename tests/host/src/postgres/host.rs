//! The functions of the interface, over the pool.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures::{StreamExt, pin_mut};
use tokio::sync::{OwnedSemaphorePermit, mpsc, oneshot};
use tokio_postgres::types::ToSql;
use tokio_postgres::{Row as PgRow, RowStream};
use wasmtime::component::{
    Accessor, Destination, FutureReader, HasSelf, Resource, StreamProducer, StreamReader, StreamResult,
};
use wasmtime::{AsContextMut, Result, StoreContextMut};

use crate::app::{Component, RequestContext};
use crate::bindings::spin::postgres::postgres::{
    Column, Error, Host, HostConnection, HostConnectionBuilder, HostConnectionBuilderWithStore,
    HostConnectionWithStore, ParameterValue, Row, RowSet,
};
use crate::postgres::bind::{Parameter, parameter};
use crate::postgres::errors::{chain, query_failed, unreadable};
use crate::postgres::pool::{Builder, Connection};
use crate::postgres::read::{columns, values};
use crate::postgres::transaction::{Effect, effect};
use crate::wasm::State;

/// Rows that wait between the database and the component, as on Spin.
const ROWS_AHEAD: usize = 4;
/// The largest row, in bytes of its values, that Spin hands over.
const MAX_ROW: usize = 128 << 20;

/// A result on its way to the component: columns, rows, and how it ended.
type Streamed = (Vec<Column>, StreamReader<Row>, FutureReader<std::result::Result<(), Error>>);

impl Host for State {}

impl HostConnectionBuilder for State {
    async fn new(&mut self, address: String) -> Result<Resource<Builder>> {
        Ok(self.table.push(Builder { address })?)
    }

    async fn set_ca_root(
        &mut self,
        _: Resource<Builder>,
        _: String,
    ) -> Result<std::result::Result<(), Error>> {
        Ok(Err(Error::Other("this host connects without TLS and takes no certificates".to_owned())))
    }

    async fn build(
        &mut self,
        builder: Resource<Builder>,
    ) -> Result<std::result::Result<Resource<Connection>, Error>> {
        let address = self.table.get(&builder)?.address.clone();
        self.open_now(&address).await
    }

    async fn drop(&mut self, builder: Resource<Builder>) -> Result<()> {
        self.table.delete(builder)?;
        Ok(())
    }
}

impl<T: 'static> HostConnectionBuilderWithStore<T> for HasSelf<State> {
    async fn build_async(
        accessor: &Accessor<T, Self>,
        builder: Resource<Builder>,
    ) -> Result<std::result::Result<Resource<Connection>, Error>> {
        let address =
            accessor.with(|mut access| access.get().table.get(&builder).map(|b| b.address.clone()))?;
        open_async(accessor, address).await
    }
}

impl HostConnection for State {
    async fn open(&mut self, address: String) -> Result<std::result::Result<Resource<Connection>, Error>> {
        self.open_now(&address).await
    }

    async fn query(
        &mut self,
        connection: Resource<Connection>,
        statement: String,
        params: Vec<ParameterValue>,
    ) -> Result<std::result::Result<RowSet, Error>> {
        let connection = self.table.get(&connection)?.clone();
        Ok(query_all(&connection, &statement, &params).await)
    }

    async fn execute(
        &mut self,
        connection: Resource<Connection>,
        statement: String,
        params: Vec<ParameterValue>,
    ) -> Result<std::result::Result<u64, Error>> {
        let connection = self.table.get(&connection)?.clone();
        Ok(execute(&connection, &statement, &params).await)
    }

    async fn drop(&mut self, connection: Resource<Connection>) -> Result<()> {
        self.table.delete(connection)?;
        Ok(())
    }
}

impl State {
    async fn open_now(&mut self, address: &str) -> Result<std::result::Result<Resource<Connection>, Error>> {
        let opened = Connection::open(Arc::clone(&self.component), None, address).await;
        opened.map_or_else(|error| Ok(Err(error)), |connection| Ok(Ok(self.table.push(connection)?)))
    }
}

impl<T: 'static> HostConnectionWithStore<T> for HasSelf<State> {
    async fn open_async(
        accessor: &Accessor<T, Self>,
        address: String,
    ) -> Result<std::result::Result<Resource<Connection>, Error>> {
        open_async(accessor, address).await
    }

    async fn query_async(
        accessor: &Accessor<T, Self>,
        connection: Resource<Connection>,
        statement: String,
        params: Vec<ParameterValue>,
    ) -> Result<std::result::Result<Streamed, Error>> {
        let connection = accessor.with(|mut access| access.get().table.get(&connection).cloned())?;
        let (columns, rows, end) = match start_query(connection, &statement, &params).await {
            Ok(started) => started,
            Err(error) => return Ok(Err(error)),
        };
        accessor.with(|mut access| {
            let rows = StreamReader::new(&mut access, Rows(rows))?;
            // A sender dropped without a word means that the reader of the rows went away first.
            let end =
                FutureReader::new(
                    &mut access,
                    async move { wasmtime::error::Ok(end.await.unwrap_or(Ok(()))) },
                )?;
            Ok(Ok((columns, rows, end)))
        })
    }

    async fn execute_async(
        accessor: &Accessor<T, Self>,
        connection: Resource<Connection>,
        statement: String,
        params: Vec<ParameterValue>,
    ) -> Result<std::result::Result<u64, Error>> {
        let connection = accessor.with(|mut access| access.get().table.get(&connection).cloned())?;
        Ok(execute(&connection, &statement, &params).await)
    }
}

async fn open_async<T: 'static>(
    accessor: &Accessor<T, HasSelf<State>>,
    address: String,
) -> Result<std::result::Result<Resource<Connection>, Error>> {
    let (component, request) =
        accessor.with(|mut access| -> Result<(Arc<Component>, Option<Arc<RequestContext>>)> {
            let tasks: Vec<_> = access.as_context_mut().async_call_stack()?.collect();
            let state = access.get();
            Ok((Arc::clone(&state.component), state.request_of(&tasks)))
        })?;
    match Connection::open(component, request, &address).await {
        Ok(connection) => Ok(Ok(accessor.with(|mut access| access.get().table.push(connection))?)),
        Err(error) => Ok(Err(error)),
    }
}

fn bind(params: &[ParameterValue]) -> anyhow::Result<Vec<Parameter>> {
    params.iter().map(parameter).collect()
}

fn references(params: &[Parameter]) -> Vec<&(dyn ToSql + Sync)> {
    params.iter().map(|param| param.as_ref() as &(dyn ToSql + Sync)).collect()
}

async fn execute(
    connection: &Connection,
    statement: &str,
    params: &[ParameterValue],
) -> std::result::Result<u64, Error> {
    let params = bind(params).map_err(|error| Error::ValueConversionFailed(chain(&error)))?;
    let _turn = connection.turn(statement).await?;
    let effect = effect(statement);
    // Noted before it is sent: a request may be dropped while the answer is on its way.
    connection.note(effect);
    let done = connection.client().execute(statement, &references(&params)).await;
    if done.is_err() && effect == Effect::Opens {
        connection.note(Effect::Ends);
    }
    done.map_err(|error| query_failed(&error))
}

async fn send(
    connection: &Connection,
    statement: &str,
    params: &[ParameterValue],
) -> std::result::Result<RowStream, Error> {
    let params = bind(params).map_err(|error| Error::BadParameter(chain(&error)))?;
    connection.note(effect(statement));
    let stream = connection.client().query_raw(statement, references(&params)).await;
    stream.map_err(|error| query_failed(&error))
}

/// The synchronous form: everything at once.
async fn query_all(
    connection: &Connection,
    statement: &str,
    params: &[ParameterValue],
) -> std::result::Result<RowSet, Error> {
    let _turn = connection.turn(statement).await?;
    let stream = send(connection, statement, params).await?;
    pin_mut!(stream);
    let mut set = RowSet { columns: Vec::new(), rows: Vec::new() };
    while let Some(row) = stream.next().await {
        let row = row.map_err(|error| query_failed(&error))?;
        if set.columns.is_empty() {
            set.columns = columns(&row);
        }
        set.rows.push(values(&row).map_err(|error| unreadable(&error))?);
    }
    Ok(set)
}

/// What `start_query` leaves running: the columns, the rows to come, and the end.
type Started = (Vec<Column>, mpsc::Receiver<Row>, oneshot::Receiver<std::result::Result<(), Error>>);

/// The streaming form: reads the first row for the columns, hands the rest to a task.
async fn start_query(
    connection: Connection,
    statement: &str,
    params: &[ParameterValue],
) -> std::result::Result<Started, Error> {
    let turn = connection.turn(statement).await?;
    let mut stream = Box::pin(send(&connection, statement, params).await?);
    let first = stream.next().await.transpose().map_err(|error| query_failed(&error))?;
    let columns = first.as_ref().map(columns).unwrap_or_default();
    let (rows, incoming) = mpsc::channel(ROWS_AHEAD);
    let (end, ended) = oneshot::channel();
    tokio::spawn(async move {
        let result = forward(first, stream, &rows).await;
        // The connection is free before the component learns that the result has ended.
        drop::<(OwnedSemaphorePermit, Connection)>((turn, connection));
        let _ = end.send(result);
    });
    Ok((columns, incoming, ended))
}

async fn forward(
    mut next: Option<PgRow>,
    mut stream: Pin<Box<RowStream>>,
    rows: &mpsc::Sender<Row>,
) -> std::result::Result<(), Error> {
    while let Some(row) = next {
        if row.raw_size_bytes() > MAX_ROW {
            return Err(Error::Other(format!("query result row exceeds limit of {MAX_ROW} bytes")));
        }
        let converted = values(&row).map_err(|error| unreadable(&error))?;
        if rows.send(converted).await.is_err() {
            return Ok(());
        }
        next = tokio::select! {
            () = rows.closed() => return Ok(()),
            row = stream.next() => row.transpose().map_err(|error| query_failed(&error))?,
        };
    }
    Ok(())
}

/// Hands the rows of a channel to the component, one at a time.
struct Rows(mpsc::Receiver<Row>);

impl<D> StreamProducer<D> for Rows {
    type Item = Row;
    type Buffer = Option<Row>;

    fn poll_produce<'a>(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        mut store: StoreContextMut<'a, D>,
        mut destination: Destination<'a, Row, Option<Row>>,
        finish: bool,
    ) -> Poll<Result<StreamResult>> {
        if destination.remaining(store.as_context_mut()) == Some(0) {
            return Poll::Ready(Ok(StreamResult::Completed));
        }
        match self.0.poll_recv(cx) {
            Poll::Ready(Some(row)) => {
                destination.set_buffer(Some(row));
                Poll::Ready(Ok(StreamResult::Completed))
            }
            Poll::Ready(None) => Poll::Ready(Ok(StreamResult::Dropped)),
            Poll::Pending if finish => Poll::Ready(Ok(StreamResult::Cancelled)),
            Poll::Pending => Poll::Pending,
        }
    }
}
