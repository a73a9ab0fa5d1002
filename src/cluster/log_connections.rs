//! Connections for log streams: many streams share one, and none has more than the server allows.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::connector::{Connector, LOGS_TOGETHER, Purpose};
use super::error::ClusterError;

/// Clients for logs, made as they are needed.
pub(super) struct LogConnections {
    connector: Option<Connector>,
    clients: Mutex<Vec<LogClient>>,
}

/// A client with one connection, where the server speaks HTTP/2.
#[derive(Clone)]
struct LogClient {
    client: kube::Client,
    places: Arc<Semaphore>,
    /// Held by the first request, until it has connected: many at once would connect each by itself.
    connecting: Arc<tokio::sync::Mutex<Connected>>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Connected {
    NotYet,
    Once,
}

impl LogConnections {
    /// Begins with one client.
    pub(super) fn new(connector: Connector) -> Result<Self, ClusterError> {
        let first = LogClient::new(connector.client(Purpose::Logs)?);
        Ok(Self { connector: Some(connector), clients: Mutex::new(vec![first]) })
    }

    /// Takes a client that a test made, and no other.
    #[cfg(test)]
    pub(super) fn of_client(client: kube::Client) -> Self {
        Self { connector: None, clients: Mutex::new(vec![LogClient::new(client)]) }
    }

    /// Sends a request by a connection that has room for its answer.
    pub(super) async fn send<T>(
        &self,
        send: impl AsyncFnOnce(&kube::Client) -> T,
    ) -> Result<(T, OwnedSemaphorePermit), ClusterError> {
        let (client, permit) = self.place()?;
        let mut connecting = client.connecting.lock().await;
        let answer = if *connecting == Connected::NotYet {
            let answer = send(&client.client).await;
            *connecting = Connected::Once;
            answer
        } else {
            drop(connecting);
            send(&client.client).await
        };
        Ok((answer, permit))
    }

    fn place(&self) -> Result<(LogClient, OwnedSemaphorePermit), ClusterError> {
        // A list is whole even if whoever held it panicked.
        let mut clients = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
        for client in clients.iter() {
            if let Ok(permit) = Arc::clone(&client.places).try_acquire_owned() {
                return Ok((client.clone(), permit));
            }
        }
        let another = match &self.connector {
            Some(connector) => connector.client(Purpose::Logs)?,
            None => clients[0].client.clone(),
        };
        let client = LogClient::new(another);
        let permit = Arc::clone(&client.places)
            .try_acquire_owned()
            .expect("nobody else knows of these places yet");
        clients.push(client.clone());
        Ok((client, permit))
    }
}

impl LogClient {
    fn new(client: kube::Client) -> Self {
        Self {
            client,
            places: Arc::new(Semaphore::new(LOGS_TOGETHER.into())),
            connecting: Arc::new(tokio::sync::Mutex::new(Connected::NotYet)),
        }
    }
}
