package main

import (
	"errors"
	"io"
	"net"
)

// forward listens on the first address, the one of the service `kubernetes`,
// and passes every connection on to the second, the API server's on loopback:
// what kube-proxy does elsewhere, for the one service that pods need here.
// Only the pods of the third argument's subnet are served; any further argument
// is there for whoever looks at the process.
func forward(args []string) error {
	if len(args) < 3 {
		return errors.New("usage: forward LISTEN TO SUBNET [ANYTHING]")
	}
	_, subnet, err := net.ParseCIDR(args[2])
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", args[0])
	if err != nil {
		return err
	}
	for {
		in, err := listener.Accept()
		if err != nil {
			return err
		}
		peer, _ := in.RemoteAddr().(*net.TCPAddr)
		local, _ := in.LocalAddr().(*net.TCPAddr)
		if peer == nil || !(subnet.Contains(peer.IP) || peer.IP.Equal(local.IP)) {
			in.Close()
			continue
		}
		go func() {
			defer in.Close()
			out, err := net.Dial("tcp", args[1])
			if err != nil {
				return
			}
			defer out.Close()
			go func() {
				io.Copy(out, in)
				out.(*net.TCPConn).CloseWrite()
			}()
			io.Copy(in, out)
		}()
	}
}
