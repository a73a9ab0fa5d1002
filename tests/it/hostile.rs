//! API servers that mean harm, or are broken.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;

use crate::support::{Said, binary, run_command};

/// A server on loopback that answers every request in the same way.
fn serve(answer: impl Fn(&mut TcpStream) -> std::io::Result<()> + Send + Sync + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let answer = Arc::new(answer);
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let (mut stream, answer) = (stream.unwrap(), Arc::clone(&answer));
            std::thread::spawn(move || {
                let mut request = BufReader::new(stream.try_clone().unwrap());
                let mut line = String::new();
                while request.read_line(&mut line).is_ok_and(|count| count > 2) {
                    line.clear();
                }
                // Whoever had enough closes the connection, which is an error here.
                let _ = answer(&mut stream);
            });
        }
    });
    address
}

fn asked(server: &str, arguments: &[&str]) -> Said {
    let mut command = binary(arguments);
    command.args(["-s", server, "-n", "data", "--kubeconfig", "/dev/null"]);
    run_command(&mut command)
}

#[test]
fn an_answer_without_an_end_is_refused() {
    let server = serve(|stream| {
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n")?;
        stream.write_all(br#"{"kind":"JobList","items":[{"metadata":{"name":""#)?;
        let piece = [b'a'; 1 << 16];
        loop {
            stream.write_all(&piece)?;
        }
    });
    let told = asked(&server, &["runs"]).fails(3);
    assert!(told.contains("it sent more than 512 MiB in one answer"), "{told}");
}

#[test]
fn what_is_no_answer_is_told_in_one_sentence() {
    let garbage = serve(|stream| {
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n\x1b[31m\0\xff<>")
    });
    let told = asked(&garbage, &["runs"]).fails(3);
    assert!(!told.contains('\u{1b}') && !told.contains('\0'), "{told:?}");
    let silent = serve(|stream| stream.read(&mut [0; 9]).map(drop));
    let told = asked(&silent, &["runs", "--request-timeout", "2s"]).fails(3);
    assert!(told.contains("error: ") && told.contains("hint: "), "{told}");
}
