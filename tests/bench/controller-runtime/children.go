package main

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"maps"

	appsv1 "k8s.io/api/apps/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/utils/ptr"
)

// Each function sets what this operator decides and leaves the rest as the API server filled it in: so an object that is as
// it should be compares equal, and is not written again.

const (
	grpcPort = 9000
	httpPort = 8080
)

func labels(model *RankingModel) map[string]string {
	return map[string]string{
		"app.kubernetes.io/name":       "ranker",
		"app.kubernetes.io/instance":   model.Name,
		"app.kubernetes.io/managed-by": "peer",
	}
}

func selector(model *RankingModel) map[string]string {
	return map[string]string{"app.kubernetes.io/name": "ranker", "app.kubernetes.io/instance": model.Name}
}

func merged(old, more map[string]string) map[string]string {
	if old == nil {
		return more
	}
	maps.Copy(old, more)
	return old
}

func podConfig(model *RankingModel) (string, error) {
	config, err := json.Marshal(map[string]any{
		"rankers": []any{map[string]any{
			"name":      model.Name,
			"surface":   model.Spec.Surface,
			"objective": model.Spec.Objective,
			"artifact":  model.Spec.Artifact,
			"maxTopK":   model.Spec.Serving.MaxTopK,
		}},
	})
	return string(config), err
}

func shapeAccount(account *corev1.ServiceAccount) error {
	account.AutomountServiceAccountToken = ptr.To(false)
	return nil
}

func shapeConfig(config *corev1.ConfigMap, model *RankingModel) error {
	text, err := podConfig(model)
	config.Data = map[string]string{"config.json": text}
	return err
}

func shapeDeployment(deployment *appsv1.Deployment, model *RankingModel) error {
	text, err := podConfig(model)
	if err != nil {
		return err
	}
	digest := sha256.Sum256([]byte(text))
	spec := &deployment.Spec
	spec.Selector = &metav1.LabelSelector{MatchLabels: selector(model)}
	template := &spec.Template
	template.Labels = merged(template.Labels, labels(model))
	template.Annotations = merged(template.Annotations, map[string]string{"marquee.dev/config": hex.EncodeToString(digest[:])})
	pod := &template.Spec
	pod.ServiceAccountName = model.Name + "-ranker"
	pod.AutomountServiceAccountToken = ptr.To(false)
	pod.TerminationGracePeriodSeconds = ptr.To(int64(45))
	pod.SecurityContext = &corev1.PodSecurityContext{
		RunAsNonRoot:   ptr.To(true),
		FSGroup:        ptr.To(int64(65532)),
		SeccompProfile: &corev1.SeccompProfile{Type: corev1.SeccompProfileTypeRuntimeDefault},
	}
	pod.TopologySpreadConstraints = []corev1.TopologySpreadConstraint{
		spread("topology.kubernetes.io/zone", model), spread("kubernetes.io/hostname", model),
	}
	pod.Volumes = []corev1.Volume{
		{Name: "config", VolumeSource: corev1.VolumeSource{ConfigMap: &corev1.ConfigMapVolumeSource{
			LocalObjectReference: corev1.LocalObjectReference{Name: model.Name + "-ranker"}, DefaultMode: ptr.To(int32(0o644)),
		}}},
		emptyDir("cache", "4Gi"), emptyDir("tmp", "64Mi"),
	}
	if len(pod.Containers) != 1 {
		pod.Containers = make([]corev1.Container, 1)
	}
	shapeContainer(&pod.Containers[0])
	return nil
}

func shapeContainer(container *corev1.Container) {
	container.Name, container.Image = "ranker", "marquee-runtime:bench"
	container.Command = []string{"marquee-runtime", "serve", "--config", "/etc/marquee/config.json"}
	container.Ports = []corev1.ContainerPort{
		{Name: "http", ContainerPort: httpPort, Protocol: corev1.ProtocolTCP},
		{Name: "grpc", ContainerPort: grpcPort, Protocol: corev1.ProtocolTCP},
	}
	container.Resources.Requests = corev1.ResourceList{
		corev1.ResourceCPU: resource.MustParse("250m"), corev1.ResourceMemory: resource.MustParse("256Mi"),
	}
	container.SecurityContext = &corev1.SecurityContext{
		AllowPrivilegeEscalation: ptr.To(false),
		ReadOnlyRootFilesystem:   ptr.To(true),
		Capabilities:             &corev1.Capabilities{Drop: []corev1.Capability{"ALL"}},
	}
	container.StartupProbe = probe("/readyz", 2, 300)
	container.LivenessProbe = probe("/livez", 10, 3)
	container.ReadinessProbe = probe("/readyz", 2, 2)
	container.VolumeMounts = []corev1.VolumeMount{
		{Name: "config", MountPath: "/etc/marquee", ReadOnly: true},
		{Name: "cache", MountPath: "/var/cache/marquee"},
		{Name: "tmp", MountPath: "/tmp"},
	}
}

func probe(path string, period, failures int32) *corev1.Probe {
	return &corev1.Probe{
		ProbeHandler: corev1.ProbeHandler{HTTPGet: &corev1.HTTPGetAction{
			Path: path, Port: intstr.FromString("http"), Scheme: corev1.URISchemeHTTP,
		}},
		TimeoutSeconds: 1, PeriodSeconds: period, SuccessThreshold: 1, FailureThreshold: failures,
	}
}

func spread(key string, model *RankingModel) corev1.TopologySpreadConstraint {
	return corev1.TopologySpreadConstraint{
		MaxSkew: 1, TopologyKey: key, WhenUnsatisfiable: corev1.ScheduleAnyway,
		LabelSelector: &metav1.LabelSelector{MatchLabels: selector(model)},
	}
}

func emptyDir(name, size string) corev1.Volume {
	return corev1.Volume{Name: name, VolumeSource: corev1.VolumeSource{
		EmptyDir: &corev1.EmptyDirVolumeSource{SizeLimit: ptr.To(resource.MustParse(size))},
	}}
}

func shapeService(service *corev1.Service, model *RankingModel) error {
	service.Spec.ClusterIP = corev1.ClusterIPNone
	service.Spec.Selector = selector(model)
	service.Spec.Ports = []corev1.ServicePort{
		{Name: "http", Port: httpPort, Protocol: corev1.ProtocolTCP, TargetPort: intstr.FromString("http")},
		{Name: "grpc", Port: grpcPort, Protocol: corev1.ProtocolTCP, TargetPort: intstr.FromString("grpc")},
	}
	return nil
}

func shapeAutoscaler(autoscaler *autoscalingv2.HorizontalPodAutoscaler, model *RankingModel) error {
	autoscaler.Spec.ScaleTargetRef = autoscalingv2.CrossVersionObjectReference{
		APIVersion: "apps/v1", Kind: "Deployment", Name: model.Name + "-ranker",
	}
	autoscaler.Spec.MinReplicas = ptr.To(model.Spec.Serving.Replicas.Min)
	autoscaler.Spec.MaxReplicas = model.Spec.Serving.Replicas.Max
	autoscaler.Spec.Metrics = []autoscalingv2.MetricSpec{{
		Type: autoscalingv2.ResourceMetricSourceType,
		Resource: &autoscalingv2.ResourceMetricSource{
			Name: corev1.ResourceCPU,
			Target: autoscalingv2.MetricTarget{
				Type: autoscalingv2.UtilizationMetricType, AverageUtilization: ptr.To(int32(70)),
			},
		},
	}}
	return nil
}

func shapeBudget(budget *policyv1.PodDisruptionBudget, model *RankingModel) error {
	budget.Spec.Selector = &metav1.LabelSelector{MatchLabels: selector(model)}
	budget.Spec.MaxUnavailable = ptr.To(intstr.FromInt32(1))
	return nil
}

func shapePolicy(policy *networkingv1.NetworkPolicy, model *RankingModel) error {
	port := func(number int32) networkingv1.NetworkPolicyPort {
		return networkingv1.NetworkPolicyPort{Protocol: ptr.To(corev1.ProtocolTCP), Port: ptr.To(intstr.FromInt32(number))}
	}
	policy.Spec.PodSelector = metav1.LabelSelector{MatchLabels: selector(model)}
	policy.Spec.PolicyTypes = []networkingv1.PolicyType{networkingv1.PolicyTypeIngress}
	policy.Spec.Ingress = []networkingv1.NetworkPolicyIngressRule{
		{Ports: []networkingv1.NetworkPolicyPort{port(httpPort), port(grpcPort)}},
	}
	return nil
}
