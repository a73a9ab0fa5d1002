package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"

	admission "k8s.io/api/admission/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// deny is an admission webhook that refuses everything it is asked about. Its
// address is printed; it ends with its stdin.
func deny(args []string) error {
	flags := flag.NewFlagSet("deny", flag.ExitOnError)
	tls := flags.String("tls", "", "folder with server.crt and server.key")
	message := flags.String("message", "no", "why it is refused")
	if err := flags.Parse(args); err != nil {
		return err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Printf("https://%s/\n", listener.Addr())
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		os.Exit(0)
	}()
	return http.ServeTLS(listener, http.HandlerFunc(func(response http.ResponseWriter, request *http.Request) {
		var review admission.AdmissionReview
		if err := json.NewDecoder(request.Body).Decode(&review); err != nil || review.Request == nil {
			http.Error(response, "no AdmissionReview", http.StatusBadRequest)
			return
		}
		review.Response = &admission.AdmissionResponse{
			UID:    review.Request.UID,
			Result: &meta.Status{Message: *message},
		}
		review.Request = nil
		response.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(response).Encode(review)
	}), *tls+"/server.crt", *tls+"/server.key")
}
