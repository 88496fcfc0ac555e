// Copyright (c) 2026 podnet.calico authors
// SPDX-License-Identifier: GPL-3.0-or-later

// What controllers written in Go do with an API server: typed clients (whose bodies are protobuf), informers, leader election, events,
// server-side apply, pages, mappers and the dynamic client that reads Calico's objects as calicoctl does.
package main

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	authenticationv1 "k8s.io/api/authentication/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/apimachinery/pkg/watch"
	applycorev1 "k8s.io/client-go/applyconfigurations/core/v1"
	"k8s.io/client-go/discovery/cached/memory"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/kubernetes/scheme"
	typedcorev1 "k8s.io/client-go/kubernetes/typed/core/v1"
	"k8s.io/client-go/metadata"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/restmapper"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/leaderelection"
	"k8s.io/client-go/tools/leaderelection/resourcelock"
	"k8s.io/client-go/tools/pager"
	"k8s.io/client-go/tools/record"
	watchtools "k8s.io/client-go/tools/watch"
	"k8s.io/utils/ptr"
)

const patience = 60 * time.Second

// objects does all of it and says of each what came back; each answer is judged by test_client_go.py.
func objects(config *rest.Config) map[string]any {
	client, err := kubernetes.NewForConfig(config)
	check(err)
	within, cancel := context.WithTimeout(context.Background(), 4*patience)
	defer cancel()
	return map[string]any{
		"informer":        informed(within, client),
		"errors":          refusals(within, client),
		"kinds":           roundTrips(within, client),
		"apply":           applied(within, client),
		"pages":           paged(within, client),
		"leader":          elected(within, client),
		"events":          recorded(within, client),
		"scale":           scaled(within, client),
		"evicted":         evicted(within, client),
		"account":         account(within, config, client),
		"metadata":        metadataOf(within, config),
		"calico":          calicoObjects(within, config, client),
		"foreground":      foreground(within, client),
		"conflicting put": conflict(within, client),
		"definition":      defined(within, config),
	}
}

func template(labels map[string]string) corev1.PodTemplateSpec {
	return corev1.PodTemplateSpec{
		ObjectMeta: metav1.ObjectMeta{Labels: labels},
		Spec: corev1.PodSpec{
			TerminationGracePeriodSeconds: ptr.To[int64](0),
			Containers: []corev1.Container{{
				Name: "web", Image: "wbitt/network-multitool",
				Ports:          []corev1.ContainerPort{{Name: "http", ContainerPort: 80}},
				Env:            []corev1.EnvVar{{Name: "NODE", ValueFrom: &corev1.EnvVarSource{FieldRef: &corev1.ObjectFieldSelector{FieldPath: "spec.nodeName"}}}},
				ReadinessProbe: &corev1.Probe{ProbeHandler: corev1.ProbeHandler{HTTPGet: &corev1.HTTPGetAction{Path: "/", Port: intstr.FromString("http")}}, PeriodSeconds: 1},
				VolumeMounts:   []corev1.VolumeMount{{Name: "scratch", MountPath: "/scratch"}},
			}},
			Volumes: []corev1.Volume{{Name: "scratch", VolumeSource: corev1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{}}}},
		},
	}
}

func deployment(name string, replicas int32) *appsv1.Deployment {
	labels := map[string]string{"app": name}
	return &appsv1.Deployment{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		Spec:       appsv1.DeploymentSpec{Replicas: &replicas, Selector: &metav1.LabelSelector{MatchLabels: labels}, Template: template(labels)},
	}
}

// informed counts what a shared informer hears of pods while a deployment comes and goes.
func informed(within context.Context, client kubernetes.Interface) map[string]any {
	var added, ready, deleted atomic.Int32
	factory := informers.NewSharedInformerFactoryWithOptions(client, 0, informers.WithNamespace("default"),
		informers.WithTweakListOptions(func(options *metav1.ListOptions) { options.LabelSelector = "app=informed" }))
	pods := factory.Core().V1().Pods()
	_, err := pods.Informer().AddEventHandler(cache.ResourceEventHandlerFuncs{
		AddFunc:    func(any) { added.Add(1) },
		DeleteFunc: func(any) { deleted.Add(1) },
		UpdateFunc: func(before, after any) {
			if !isReady(before.(*corev1.Pod)) && isReady(after.(*corev1.Pod)) {
				ready.Add(1)
			}
		},
	})
	check(err)
	stop := make(chan struct{})
	defer close(stop)
	factory.Start(stop)
	factory.WaitForCacheSync(stop)
	_, err = client.AppsV1().Deployments("default").Create(within, deployment("informed", 2), metav1.CreateOptions{})
	check(err)
	until(within, func() bool { return ready.Load() == 2 })
	check(client.AppsV1().Deployments("default").Delete(within, "informed", metav1.DeleteOptions{}))
	until(within, func() bool { return deleted.Load() == 2 })
	kept, err := pods.Lister().List(labels.Everything())
	check(err)
	return map[string]any{"added": added.Load(), "ready": ready.Load(), "deleted": deleted.Load(), "kept": len(kept)}
}

func isReady(pod *corev1.Pod) bool {
	for _, condition := range pod.Status.Conditions {
		if condition.Type == corev1.PodReady {
			return condition.Status == corev1.ConditionTrue
		}
	}
	return false
}

// refusals names what client-go recognizes in the answers to requests that cannot succeed.
func refusals(within context.Context, client kubernetes.Interface) map[string]string {
	configs := client.CoreV1().ConfigMaps("default")
	config := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "taken"}}
	_, err := configs.Create(within, config, metav1.CreateOptions{})
	check(err)
	found := map[string]string{}
	_, err = configs.Create(within, config, metav1.CreateOptions{})
	found["taken"] = reason(err)
	_, err = configs.Get(within, "nowhere", metav1.GetOptions{})
	found["missing"] = reason(err)
	_, err = configs.Create(within, &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "Not_A_Name"}}, metav1.CreateOptions{})
	found["invalid"] = reason(err)
	_, err = configs.List(within, metav1.ListOptions{FieldSelector: "data=x"})
	found["selector"] = reason(err)
	return found
}

func reason(err error) string { return string(apierrors.ReasonForError(err)) }

// roundTrips creates kinds by the typed client and says what of them came back.
func roundTrips(within context.Context, client kubernetes.Interface) map[string]any {
	labels := map[string]string{"app": "kinds"}
	set, err := client.AppsV1().StatefulSets("default").Create(within, &appsv1.StatefulSet{
		ObjectMeta: metav1.ObjectMeta{Name: "kinds"},
		Spec: appsv1.StatefulSetSpec{
			Replicas: ptr.To[int32](0), ServiceName: "kinds", Selector: &metav1.LabelSelector{MatchLabels: labels}, Template: template(labels),
			UpdateStrategy: appsv1.StatefulSetUpdateStrategy{RollingUpdate: &appsv1.RollingUpdateStatefulSetStrategy{Partition: ptr.To[int32](3)}},
		},
	}, metav1.CreateOptions{})
	check(err)
	job := batchv1.JobSpec{Template: template(nil), BackoffLimit: ptr.To[int32](0), Suspend: ptr.To(true)}
	job.Template.Spec.RestartPolicy = corev1.RestartPolicyNever
	cron, err := client.BatchV1().CronJobs("default").Create(within, &batchv1.CronJob{
		ObjectMeta: metav1.ObjectMeta{Name: "kinds"},
		Spec:       batchv1.CronJobSpec{Schedule: "0 0 1 1 *", JobTemplate: batchv1.JobTemplateSpec{Spec: job}},
	}, metav1.CreateOptions{})
	check(err)
	budget, err := client.PolicyV1().PodDisruptionBudgets("default").Create(within, &policyv1.PodDisruptionBudget{
		ObjectMeta: metav1.ObjectMeta{Name: "kinds"},
		Spec:       policyv1.PodDisruptionBudgetSpec{MinAvailable: ptr.To(intstr.FromString("50%")), Selector: &metav1.LabelSelector{MatchLabels: labels}},
	}, metav1.CreateOptions{})
	check(err)
	container := set.Spec.Template.Spec.Containers[0]
	return map[string]any{
		"partition": *set.Spec.UpdateStrategy.RollingUpdate.Partition, "probe": container.ReadinessProbe.HTTPGet.Port.String(),
		"volume": set.Spec.Template.Spec.Volumes[0].EmptyDir != nil, "field": container.Env[0].ValueFrom.FieldRef.FieldPath,
		"suspend": *cron.Spec.JobTemplate.Spec.Suspend, "minAvailable": budget.Spec.MinAvailable.String(),
	}
}

// applied lets two managers want the same field.
func applied(within context.Context, client kubernetes.Interface) map[string]any {
	configs := client.CoreV1().ConfigMaps("default")
	wanted := func(value string) *applycorev1.ConfigMapApplyConfiguration {
		return applycorev1.ConfigMap("applied", "default").WithData(map[string]string{"a": value})
	}
	_, err := configs.Apply(within, wanted("1"), metav1.ApplyOptions{FieldManager: "one"})
	check(err)
	_, err = configs.Apply(within, wanted("2"), metav1.ApplyOptions{FieldManager: "two"})
	refused := reason(err)
	forced, err := configs.Apply(within, wanted("2"), metav1.ApplyOptions{FieldManager: "two", Force: true})
	check(err)
	managers := []string{}
	for _, entry := range forced.ManagedFields {
		managers = append(managers, entry.Manager)
	}
	return map[string]any{"refused": refused, "value": forced.Data["a"], "managers": managers}
}

// paged lists everything two at a time, by which nothing may be lost or doubled.
func paged(within context.Context, client kubernetes.Interface) map[string]any {
	for number := range 5 {
		labels := map[string]string{"paged": "yes"}
		config := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: fmt.Sprintf("page-%d", number), Labels: labels}}
		_, err := client.CoreV1().ConfigMaps("default").Create(within, config, metav1.CreateOptions{})
		check(err)
	}
	names := []string{}
	pages := 0
	reader := pager.New(func(within context.Context, options metav1.ListOptions) (runtime.Object, error) {
		pages++
		return client.CoreV1().ConfigMaps("default").List(within, options)
	})
	reader.PageSize = 2
	check(reader.EachListItem(within, metav1.ListOptions{LabelSelector: "paged=yes"}, func(item runtime.Object) error {
		names = append(names, item.(*corev1.ConfigMap).Name)
		return nil
	}))
	return map[string]any{"names": names, "pages": pages}
}

// elected leads, and lets go.
func elected(within context.Context, client kubernetes.Interface) map[string]any {
	led := false
	leading, resign := context.WithCancel(within)
	lock := &resourcelock.LeaseLock{
		LeaseMeta: metav1.ObjectMeta{Name: "led", Namespace: "default"}, Client: client.CoordinationV1(),
		LockConfig: resourcelock.ResourceLockConfig{Identity: "one"},
	}
	leaderelection.RunOrDie(leading, leaderelection.LeaderElectionConfig{
		Lock: lock, LeaseDuration: 15 * time.Second, RenewDeadline: 10 * time.Second, RetryPeriod: 2 * time.Second, ReleaseOnCancel: true,
		Callbacks: leaderelection.LeaderCallbacks{OnStartedLeading: func(context.Context) { led = true; resign() }, OnStoppedLeading: func() {}},
	})
	lease, err := client.CoordinationV1().Leases("default").Get(within, "led", metav1.GetOptions{})
	check(err)
	return map[string]any{"led": led, "transitions": *lease.Spec.LeaseTransitions, "holder": ptr.Deref(lease.Spec.HolderIdentity, "")}
}

// recorded says the same twice; a recorder then patches the first event.
func recorded(within context.Context, client *kubernetes.Clientset) map[string]any {
	broadcaster := record.NewBroadcaster()
	defer broadcaster.Shutdown()
	broadcaster.StartRecordingToSink(&typedcorev1.EventSinkImpl{Interface: client.CoreV1().Events("default")})
	config, err := client.CoreV1().ConfigMaps("default").Create(within, &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "told"}}, metav1.CreateOptions{})
	check(err)
	recorder := broadcaster.NewRecorder(scheme.Scheme, corev1.EventSource{Component: "client-go"})
	recorder.Event(config, corev1.EventTypeNormal, "Said", "the same")
	recorder.Event(config, corev1.EventTypeNormal, "Said", "the same")
	var events *corev1.EventList
	until(within, func() bool {
		selector := fields.Set{"involvedObject.name": "told", "reason": "Said"}.String()
		events, err = client.CoreV1().Events("default").List(within, metav1.ListOptions{FieldSelector: selector})
		check(err)
		return len(events.Items) > 0 && events.Items[0].Count == 2
	})
	return map[string]any{"events": len(events.Items), "source": events.Items[0].Source.Component}
}

func scaled(within context.Context, client kubernetes.Interface) map[string]any {
	deployments := client.AppsV1().Deployments("default")
	_, err := deployments.Create(within, deployment("scaled", 0), metav1.CreateOptions{})
	check(err)
	scale, err := deployments.GetScale(within, "scaled", metav1.GetOptions{})
	check(err)
	scale.Spec.Replicas = 1
	scale, err = deployments.UpdateScale(within, "scaled", scale, metav1.UpdateOptions{})
	check(err)
	return map[string]any{"replicas": scale.Spec.Replicas, "selector": scale.Status.Selector}
}

// evicted removes a deployment's pod by its eviction, seen by a watch that would resume where it broke off.
func evicted(within context.Context, client *kubernetes.Clientset) map[string]any {
	pods := client.CoreV1().Pods("default")
	running := podOf(within, client, "app=scaled")
	check(pods.EvictV1(within, &policyv1.Eviction{ObjectMeta: metav1.ObjectMeta{Name: running.Name}}))
	reader := cache.NewListWatchFromClient(client.CoreV1().RESTClient(), "pods", "default", fields.OneTermEqualSelector("metadata.name", running.Name))
	retrying, err := watchtools.NewRetryWatcher(running.ResourceVersion, reader)
	check(err)
	defer retrying.Stop()
	_, err = watchtools.UntilWithoutRetry(within, retrying, func(event watch.Event) (bool, error) { return event.Type == watch.Deleted, nil })
	check(err)
	return map[string]any{"another": podOf(within, client, "app=scaled").Name != running.Name}
}

func podOf(within context.Context, client kubernetes.Interface, selector string) *corev1.Pod {
	var found *corev1.Pod
	until(within, func() bool {
		list, err := client.CoreV1().Pods("default").List(within, metav1.ListOptions{LabelSelector: selector})
		check(err)
		for index, pod := range list.Items {
			if isReady(&pod) && pod.DeletionTimestamp == nil {
				found = &list.Items[index]
				return true
			}
		}
		return false
	})
	return found
}

// account speaks as a ServiceAccount with a token of its own, which may do nothing.
func account(within context.Context, config *rest.Config, client kubernetes.Interface) map[string]any {
	accounts := client.CoreV1().ServiceAccounts("default")
	_, err := accounts.Create(within, &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Name: "go"}}, metav1.CreateOptions{})
	check(err)
	token, err := accounts.CreateToken(within, "go", &authenticationv1.TokenRequest{}, metav1.CreateOptions{})
	check(err)
	anonymous := rest.AnonymousClientConfig(config)
	anonymous.BearerToken = token.Status.Token
	limited, err := kubernetes.NewForConfig(anonymous)
	check(err)
	review, err := limited.AuthenticationV1().SelfSubjectReviews().Create(within, &authenticationv1.SelfSubjectReview{}, metav1.CreateOptions{})
	check(err)
	_, err = limited.CoreV1().Nodes().List(within, metav1.ListOptions{})
	return map[string]any{"user": review.Status.UserInfo.Username, "nodes": reason(err)}
}

func metadataOf(within context.Context, config *rest.Config) map[string]any {
	client, err := metadata.NewForConfig(config)
	check(err)
	nodes, err := client.Resource(corev1.SchemeGroupVersion.WithResource("nodes")).List(within, metav1.ListOptions{})
	check(err)
	names := []string{}
	for _, node := range nodes.Items {
		names = append(names, node.Name)
	}
	return map[string]any{"nodes": names}
}

// calicoObjects reads Calico's objects by kind, as calicoctl does.
func calicoObjects(within context.Context, config *rest.Config, client kubernetes.Interface) map[string]any {
	mapper := restmapper.NewDeferredDiscoveryRESTMapper(memory.NewMemCacheClient(client.Discovery()))
	reader, err := dynamic.NewForConfig(config)
	check(err)
	found := map[string]any{}
	for _, kind := range []string{"IPPool", "IPAMBlock", "BlockAffinity", "IPAMHandle", "IPAMConfig", "ClusterInformation"} {
		mapping, err := mapper.RESTMapping(schema.GroupKind{Group: "crd.projectcalico.org", Kind: kind}, "v1")
		check(err)
		list, err := reader.Resource(mapping.Resource).List(within, metav1.ListOptions{ResourceVersion: "0"})
		check(err)
		found[kind] = specs(list.Items)
	}
	return found
}

func specs(items []unstructured.Unstructured) []any {
	found := []any{}
	for _, item := range items {
		found = append(found, item.Object["spec"])
	}
	return found
}

// foreground deletes an owner whose dependants go first.
func foreground(within context.Context, client kubernetes.Interface) map[string]any {
	policy := metav1.DeletePropagationForeground
	check(client.AppsV1().Deployments("default").Delete(within, "scaled", metav1.DeleteOptions{PropagationPolicy: &policy}))
	until(within, func() bool {
		_, err := client.AppsV1().Deployments("default").Get(within, "scaled", metav1.GetOptions{})
		return apierrors.IsNotFound(err)
	})
	left, err := client.CoreV1().Pods("default").List(within, metav1.ListOptions{LabelSelector: "app=scaled"})
	check(err)
	return map[string]any{"left": len(left.Items)}
}

// conflict updates what somebody else has updated meanwhile.
func conflict(within context.Context, client kubernetes.Interface) string {
	configs := client.CoreV1().ConfigMaps("default")
	first, err := configs.Get(within, "taken", metav1.GetOptions{})
	check(err)
	second := first.DeepCopy()
	first.Data = map[string]string{"a": "1"}
	_, err = configs.Update(within, first, metav1.UpdateOptions{})
	check(err)
	second.Data = map[string]string{"a": "2"}
	_, err = configs.Update(within, second, metav1.UpdateOptions{})
	return reason(err)
}

func until(within context.Context, done func() bool) {
	check(wait.PollUntilContextTimeout(within, 50*time.Millisecond, patience, true, func(context.Context) (bool, error) { return done(), nil }))
}
