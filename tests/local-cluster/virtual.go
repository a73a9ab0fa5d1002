package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	coordination "k8s.io/api/coordination/v1"
	core "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/clientcmd"
)

const leaseNamespace = "kube-node-lease"

// virtualNodes stands for nodes and their kubelets: pods that are bound to them
// become Running at once and Succeeded after the seconds of their STANDIN_SLEEP,
// have a log of two lines, and go when they are deleted. No process runs for a
// pod, so thousands fit on one machine.
//
// The nodes are called PREFIX-0, PREFIX-1, …, and have a taint and a label
// local-cluster/virtual=PREFIX: only who asks for them gets them. Once they are
// ready, `ready` is printed. They are removed on SIGTERM and at the end of stdin,
// so that none outlives who asked for it; after SIGKILL they are lost, as a node is
// whose power failed.
func virtualNodes(args []string) error {
	flags := flag.NewFlagSet("virtual-nodes", flag.ExitOnError)
	kubeconfig := flags.String("kubeconfig", "", "the cluster")
	tls := flags.String("tls", "", "folder with server.crt and server.key, which the API server trusts in a kubelet")
	count := flags.Int("count", 1, "how many nodes")
	prefix := flags.String("prefix", "virtual", "what their names begin with")
	cpu := flags.String("cpu", "1000", "processors of each")
	memory := flags.String("memory", "1Ti", "memory of each")
	if err := flags.Parse(args); err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		stop()
	}()
	config, err := clientcmd.BuildConfigFromFlags("", *kubeconfig)
	if err != nil {
		return err
	}
	config.QPS, config.Burst = 1000, 2000
	config.UserAgent = "virtual-nodes"
	config.ContentType = "application/vnd.kubernetes.protobuf"
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	nodes := &nodes{client: client, prefix: *prefix, pods: map[string]*virtualPod{}}
	failed := make(chan error, 1)
	go func() {
		failed <- http.ServeTLS(listener, http.HandlerFunc(nodes.logs), *tls+"/server.crt", *tls+"/server.key")
	}()
	if err := nodes.watch(ctx); err != nil {
		return err
	}
	size := core.ResourceList{"pods": resource.MustParse("10000")}
	for name, text := range map[core.ResourceName]string{"cpu": *cpu, "memory": *memory} {
		if size[name], err = resource.ParseQuantity(text); err != nil {
			return fmt.Errorf("%s %q: %w", name, text, err)
		}
	}
	defer nodes.remove()
	port := listener.Addr().(*net.TCPAddr).Port
	for number := range *count {
		if err := nodes.add(ctx, number, size, int32(port)); err != nil {
			return err
		}
	}
	fmt.Println("ready")
	renewal := time.NewTicker(5 * time.Second)
	defer renewal.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case err := <-failed:
			return err
		case <-renewal.C:
			if err := nodes.renew(ctx); err != nil && ctx.Err() == nil {
				fmt.Fprintln(os.Stderr, err)
			}
		}
	}
}

type nodes struct {
	client kubernetes.Interface
	prefix string
	names  []string
	lock   sync.Mutex
	pods   map[string]*virtualPod // by namespace/name
}

// A pod as its kubelet sees it.
type virtualPod struct {
	started time.Time
	ended   chan struct{} // closed when the container has ended
}

func (n *nodes) add(ctx context.Context, number int, size core.ResourceList, port int32) error {
	name := fmt.Sprintf("%s-%d", n.prefix, number)
	now := meta.Now()
	node, err := n.client.CoreV1().Nodes().Create(ctx, &core.Node{
		ObjectMeta: meta.ObjectMeta{Name: name, Labels: map[string]string{
			"local-cluster/virtual":  n.prefix,
			"kubernetes.io/hostname": name,
			"kubernetes.io/os":       "linux",
		}},
		Spec: core.NodeSpec{Taints: []core.Taint{{Key: "local-cluster/virtual", Value: n.prefix, Effect: core.TaintEffectNoSchedule}}},
	}, meta.CreateOptions{})
	if err != nil {
		return err
	}
	n.names = append(n.names, name)
	// A patch, for controllers write to a new node too.
	status := core.NodeStatus{
		Capacity:        size,
		Allocatable:     size,
		Addresses:       []core.NodeAddress{{Type: core.NodeInternalIP, Address: "127.0.0.1"}},
		DaemonEndpoints: core.NodeDaemonEndpoints{KubeletEndpoint: core.DaemonEndpoint{Port: port}},
		Conditions: []core.NodeCondition{{
			Type: core.NodeReady, Status: core.ConditionTrue, Reason: "KubeletReady", Message: "virtual",
			LastHeartbeatTime: now, LastTransitionTime: now,
		}},
	}
	patch, err := json.Marshal(map[string]any{"status": status})
	if err != nil {
		return err
	}
	if _, err = n.client.CoreV1().Nodes().Patch(ctx, name, types.MergePatchType, patch, meta.PatchOptions{}, "status"); err != nil {
		return err
	}
	seconds, renewed := int32(40), meta.NowMicro()
	_, err = n.client.CoordinationV1().Leases(leaseNamespace).Create(ctx, &coordination.Lease{
		ObjectMeta: meta.ObjectMeta{Name: name, OwnerReferences: []meta.OwnerReference{{
			APIVersion: "v1", Kind: "Node", Name: name, UID: node.UID,
		}}},
		Spec: coordination.LeaseSpec{HolderIdentity: &name, LeaseDurationSeconds: &seconds, RenewTime: &renewed},
	}, meta.CreateOptions{})
	return err
}

func (n *nodes) renew(ctx context.Context) error {
	var all error
	for _, name := range n.names {
		lease, err := n.client.CoordinationV1().Leases(leaseNamespace).Get(ctx, name, meta.GetOptions{})
		if err == nil {
			now := meta.NowMicro()
			lease.Spec.RenewTime = &now
			_, err = n.client.CoordinationV1().Leases(leaseNamespace).Update(ctx, lease, meta.UpdateOptions{})
		}
		all = errors.Join(all, err)
	}
	return all
}

// remove deletes the nodes; the garbage collectors take leases and pods.
func (n *nodes) remove() {
	for _, name := range n.names {
		if err := n.client.CoreV1().Nodes().Delete(context.Background(), name, meta.DeleteOptions{}); err != nil {
			fmt.Fprintln(os.Stderr, err)
		}
	}
}

// watch has every pod of these nodes looked at whenever it changes.
func (n *nodes) watch(ctx context.Context) error {
	informer := informers.NewSharedInformerFactory(n.client, 0).Core().V1().Pods().Informer()
	look := func(object any) {
		if pod, ok := object.(*core.Pod); ok && strings.HasPrefix(pod.Spec.NodeName, n.prefix+"-") {
			n.look(ctx, pod)
		}
	}
	if _, err := informer.AddEventHandler(cache.ResourceEventHandlerFuncs{
		AddFunc:    look,
		UpdateFunc: func(_, object any) { look(object) },
	}); err != nil {
		return err
	}
	go informer.Run(ctx.Done())
	if !cache.WaitForCacheSync(ctx.Done(), informer.HasSynced) {
		return errors.New("the pods could not be listed")
	}
	return nil
}

func (n *nodes) look(ctx context.Context, pod *core.Pod) {
	key := pod.Namespace + "/" + pod.Name
	n.lock.Lock()
	known, ran := n.pods[key]
	starts := !ran && pod.DeletionTimestamp == nil && pod.Status.Phase == core.PodPending
	if starts {
		known = &virtualPod{started: time.Now(), ended: make(chan struct{})}
		n.pods[key] = known
	}
	if pod.DeletionTimestamp != nil {
		delete(n.pods, key)
	}
	n.lock.Unlock()
	switch {
	case pod.DeletionTimestamp != nil:
		go n.end(ctx, pod)
	case starts:
		go n.run(ctx, pod.DeepCopy(), known)
	}
}

// run is the life of a pod.
func (n *nodes) run(ctx context.Context, pod *core.Pod, known *virtualPod) {
	defer close(known.ended)
	started := meta.NewTime(known.started)
	state := core.ContainerState{Running: &core.ContainerStateRunning{StartedAt: started}}
	pod, err := n.report(ctx, pod, core.PodRunning, started, state)
	if err != nil {
		return
	}
	select {
	case <-ctx.Done():
		return
	case <-time.After(sleepOf(pod)):
	}
	state = core.ContainerState{Terminated: &core.ContainerStateTerminated{
		Reason: "Completed", StartedAt: started, FinishedAt: meta.Now(),
	}}
	_, _ = n.report(ctx, pod, core.PodSucceeded, started, state)
}

// report writes a pod's status; a pod that is gone needs none.
func (n *nodes) report(ctx context.Context, pod *core.Pod, phase core.PodPhase, started meta.Time, state core.ContainerState) (*core.Pod, error) {
	ready := core.ConditionFalse
	if phase == core.PodRunning {
		ready = core.ConditionTrue
	}
	pod.Status.Phase = phase
	pod.Status.StartTime = &started
	scheduled := core.PodCondition{Type: core.PodScheduled, Status: core.ConditionTrue, LastTransitionTime: started}
	pod.Status.Conditions = []core.PodCondition{scheduled}
	for _, kind := range []core.PodConditionType{core.PodReady, core.ContainersReady} {
		pod.Status.Conditions = append(pod.Status.Conditions, core.PodCondition{Type: kind, Status: ready, LastTransitionTime: meta.Now()})
	}
	pod.Status.ContainerStatuses = nil
	for _, container := range pod.Spec.Containers {
		pod.Status.ContainerStatuses = append(pod.Status.ContainerStatuses, core.ContainerStatus{
			Name: container.Name, Image: container.Image, ImageID: "virtual", ContainerID: "virtual://" + string(pod.UID),
			Ready: phase == core.PodRunning, State: state,
		})
	}
	pod, err := n.client.CoreV1().Pods(pod.Namespace).UpdateStatus(ctx, pod, meta.UpdateOptions{})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
	return pod, err
}

// end lets a deleted pod go, as a kubelet does once its containers have ended.
func (n *nodes) end(ctx context.Context, pod *core.Pod) {
	now := int64(0)
	options := meta.DeleteOptions{GracePeriodSeconds: &now, Preconditions: meta.NewUIDPreconditions(string(pod.UID))}
	_ = n.client.CoreV1().Pods(pod.Namespace).Delete(ctx, pod.Name, options)
}

// sleepOf is how long a pod works: STANDIN_SLEEP, in seconds.
func sleepOf(pod *core.Pod) time.Duration {
	for _, variable := range pod.Spec.Containers[0].Env {
		if variable.Name == "STANDIN_SLEEP" {
			if seconds, err := strconv.ParseFloat(variable.Value, 64); err == nil {
				return time.Duration(seconds * float64(time.Second))
			}
		}
	}
	return 0
}

// logs serves /containerLogs/NAMESPACE/POD/CONTAINER, the one thing that the API server asks of a kubelet here.
func (n *nodes) logs(response http.ResponseWriter, request *http.Request) {
	path := strings.Split(request.URL.Path, "/")
	if len(path) != 5 || path[1] != "containerLogs" {
		http.NotFound(response, request)
		return
	}
	n.lock.Lock()
	pod := n.pods[path[2]+"/"+path[3]]
	n.lock.Unlock()
	if pod == nil {
		http.NotFound(response, request)
		return
	}
	out := bufio.NewWriter(response)
	line := func(moment time.Time, text string) {
		if request.URL.Query().Get("timestamps") == "true" {
			text = moment.UTC().Format(time.RFC3339Nano) + " " + text
		}
		fmt.Fprintln(out, text)
		out.Flush()
		response.(http.Flusher).Flush()
	}
	line(pod.started, "the block works")
	if request.URL.Query().Get("follow") == "true" {
		select {
		case <-request.Context().Done():
			return
		case <-pod.ended:
		}
	}
	select {
	case <-pod.ended:
		line(time.Now(), "the block has ended")
	default:
	}
}
