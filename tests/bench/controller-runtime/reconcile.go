package main

import (
	"context"
	"fmt"

	appsv1 "k8s.io/api/apps/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"
)

type reconciler struct {
	client.Client
	scheme *runtime.Scheme
}

// Reconcile brings the children to what the model asks for, then says how far they are.
func (r *reconciler) Reconcile(ctx context.Context, request ctrl.Request) (ctrl.Result, error) {
	model := &RankingModel{}
	if err := r.Get(ctx, request.NamespacedName, model); err != nil {
		return ctrl.Result{}, client.IgnoreNotFound(err)
	}
	if !model.DeletionTimestamp.IsZero() {
		return ctrl.Result{}, nil
	}
	name := metav1.ObjectMeta{Name: model.Name + "-ranker", Namespace: model.Namespace}
	account := &corev1.ServiceAccount{ObjectMeta: name}
	config := &corev1.ConfigMap{ObjectMeta: name}
	deployment := &appsv1.Deployment{ObjectMeta: name}
	service := &corev1.Service{ObjectMeta: name}
	autoscaler := &autoscalingv2.HorizontalPodAutoscaler{ObjectMeta: name}
	budget := &policyv1.PodDisruptionBudget{ObjectMeta: name}
	policy := &networkingv1.NetworkPolicy{ObjectMeta: name}
	children := []struct {
		object client.Object
		shape  func() error
	}{
		{account, func() error { return shapeAccount(account) }},
		{config, func() error { return shapeConfig(config, model) }},
		{deployment, func() error { return shapeDeployment(deployment, model) }},
		{service, func() error { return shapeService(service, model) }},
		{autoscaler, func() error { return shapeAutoscaler(autoscaler, model) }},
		{budget, func() error { return shapeBudget(budget, model) }},
		{policy, func() error { return shapePolicy(policy, model) }},
	}
	for _, child := range children {
		_, err := controllerutil.CreateOrUpdate(ctx, r.Client, child.object, func() error {
			child.object.SetLabels(merged(child.object.GetLabels(), labels(model)))
			if err := child.shape(); err != nil {
				return err
			}
			return controllerutil.SetControllerReference(model, child.object, r.scheme)
		})
		if err != nil {
			return ctrl.Result{}, fmt.Errorf("cannot bring about %T: %w", child.object, err)
		}
	}
	return ctrl.Result{}, r.report(ctx, model, deployment)
}

func (r *reconciler) report(ctx context.Context, model *RankingModel, deployment *appsv1.Deployment) error {
	before := model.Status
	status := *model.DeepCopy()
	status.Status.ObservedGeneration = model.Generation
	status.Status.Replicas = deployment.Status.Replicas
	status.Status.ReadyReplicas = deployment.Status.ReadyReplicas
	status.Status.Selector = metav1.FormatLabelSelector(deployment.Spec.Selector)
	for _, condition := range conditions(model, deployment) {
		meta.SetStatusCondition(&status.Status.Conditions, condition)
	}
	if equality.Semantic.DeepEqual(before, status.Status) {
		return nil
	}
	return r.Status().Update(ctx, &status)
}

func conditions(model *RankingModel, deployment *appsv1.Deployment) []metav1.Condition {
	wanted, ready := model.Spec.Serving.Replicas.Min, deployment.Status.ReadyReplicas
	message := fmt.Sprintf("%d of %d pods are ready", ready, wanted)
	condition := func(kind string, holds bool, reason string) metav1.Condition {
		status := metav1.ConditionFalse
		if holds {
			status = metav1.ConditionTrue
		}
		return metav1.Condition{
			Type: kind, Status: status, Reason: reason, Message: message, ObservedGeneration: model.Generation,
		}
	}
	if ready < wanted {
		return []metav1.Condition{
			condition("Ready", false, "PodsNotReady"),
			condition("Progressing", true, "WaitingForPods"),
			condition("Degraded", false, "AsExpected"),
		}
	}
	return []metav1.Condition{
		condition("Ready", true, "PodsReady"),
		condition("Progressing", false, "PodsReady"),
		condition("Degraded", false, "AsExpected"),
	}
}
