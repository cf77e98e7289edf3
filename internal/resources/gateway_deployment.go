package resources

import (
	"encoding/json"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"text/template"
	"time"

	"github.com/causeway-apim/causeway/internal/arm"
	"github.com/causeway-apim/causeway/internal/auth"
	"github.com/causeway-apim/causeway/internal/resource"
)

// GatewayDeploymentRequest is the input of deployment.
type GatewayDeploymentRequest struct {
	Format   string     `json:"format"`             // docker, env, compose, kubernetes, helm or systemd
	KeyType  string     `json:"keyType,omitempty"`  // primary, the default, or secondary
	Expiry   *time.Time `json:"expiry,omitempty"`   // of the token; 30 days away by default
	Endpoint string     `json:"endpoint,omitempty"` // URL under which the gateway reaches the management plane; by default that of the request
	Image    string     `json:"image,omitempty"`    // container image
}

// GatewayDeploymentContract is the answer of deployment.
type GatewayDeploymentContract struct {
	Format   string    `json:"format"`
	FileName string    `json:"fileName"` // under which the text is usually kept
	Expiry   time.Time `json:"expiry"`   // of the token that is in the text
	Value    string    `json:"value"`    // the text
}

// defaultGatewayImage is used when neither the caller nor the program names an image.
const defaultGatewayImage = "causeway-apim/causeway:latest"

// deployGateway makes a text with which an instance of a gateway is started as it is. It holds a new token.
func deployGateway(env Env, x *resource.Reader, d *resource.Doc[Gateway], body json.RawMessage) (any, error) {
	in := GatewayDeploymentRequest{KeyType: "primary"}
	if err := readInput(body, &in); err != nil {
		return nil, err
	}
	format, known := deploymentFormats()[strings.ToLower(in.Format)]
	if !known {
		return nil, arm.Invalid("format", "format must be docker, env, compose, kubernetes, helm or systemd.")
	}
	if in.Endpoint == "" {
		in.Endpoint = x.BaseURL
	}
	if u, err := url.Parse(in.Endpoint); err != nil || u.Host == "" || strings.ContainsAny(in.Endpoint, " '\"`$\\\n\r\t") {
		return nil, arm.Invalid("endpoint", "endpoint must be the URL of the management plane.")
	}
	if in.Image == "" {
		in.Image = env.GatewayImage
	}
	if in.Image == "" {
		in.Image = defaultGatewayImage
	}
	if strings.ContainsFunc(in.Image, func(r rune) bool { return r <= ' ' || r > '~' || strings.ContainsRune("'\"`$\\", r) }) {
		return nil, arm.Invalid("image", "image must be the reference of a container image.")
	}
	if in.Expiry == nil {
		most := x.Now.Add(auth.MaxGatewayTokenLife).Truncate(time.Minute)
		in.Expiry = &most
	}
	tokenBody, err := json.Marshal(GatewayTokenRequest{KeyType: in.KeyType, Expiry: *in.Expiry})
	if err != nil {
		return nil, err
	}
	token, err := generateGatewayToken(x, d, tokenBody)
	if err != nil {
		return nil, err
	}
	var text strings.Builder
	err = format.text.Execute(&text, deploymentData{
		Name: objectName(d.Name()), Gateway: d.Name(), Image: in.Image, Endpoint: in.Endpoint,
		Token: "GatewayKey " + token.(GatewayTokenContract).Value, Expiry: in.Expiry.UTC().Format(time.RFC3339),
	})
	if err != nil {
		return nil, fmt.Errorf("deployment text %s of %s: %w", in.Format, d.ID, err)
	}
	name := strings.ReplaceAll(format.file, "NAME", objectName(d.Name()))
	return GatewayDeploymentContract{strings.ToLower(in.Format), name, in.Expiry.UTC(), text.String()}, nil
}

// deploymentData is what the texts are made from. Names are safe everywhere, other values are quoted by the texts.
type deploymentData struct {
	Name, Gateway, Image, Endpoint, Token, Expiry string
}

// objectName makes a name that containers, Kubernetes and systemd take (RFC 1123) of a gateway's.
func objectName(name string) string {
	clean := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
			return r
		}
		return '-'
	}, strings.ToLower(name))
	clean = strings.Trim(clean[:min(len(clean), 40)], "-")
	if clean == "" || clean[0] >= '0' && clean[0] <= '9' { // services of Kubernetes begin with a letter
		clean = strings.TrimRight("gateway-"+clean, "-")
	}
	return clean
}

type deploymentFormat struct {
	file string // NAME stands for that of the gateway
	text *template.Template
}

// deploymentFormats are the texts by their names. They are built once for a request: it is a rare one.
func deploymentFormats() map[string]deploymentFormat {
	quote := template.FuncMap{
		"sh":   func(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" },
		"yaml": strconv.Quote, // a JSON string but for characters that do not occur here, thus YAML as well
		// systemd expands % and the dollar sign is left alone within Environment=.
		"unit": func(s string) string { return strings.ReplaceAll(s, "%", "%%") },
	}
	parse := func(file, text string) deploymentFormat {
		return deploymentFormat{file, template.Must(template.New(file).Funcs(quote).Parse(text))}
	}
	return map[string]deploymentFormat{
		"docker": parse("NAME.sh", dockerText), "env": parse("env.conf", envText), "compose": parse("compose.yaml", composeText),
		"kubernetes": parse("NAME.yaml", kubernetesText), "helm": parse("values.yaml", helmText), "systemd": parse("causeway-NAME.service", systemdText),
	}
}

const dockerText = `docker run -d --name {{.Name}} --restart unless-stopped --stop-timeout 40 --read-only --tmpfs /tmp --cap-drop ALL \
  -p 80:8080 -p 443:8081 -v {{.Name}}-config:/apim/config \
  -e config.service.endpoint={{sh .Endpoint}} \
  -e config.service.auth={{sh .Token}} \
  -e runtime.deployment.mechanism=Docker \
  {{.Image}}
`

const envText = `config.service.endpoint={{.Endpoint}}
config.service.auth={{.Token}}
runtime.deployment.mechanism=Docker
`

const composeText = `# Start it with: docker compose up -d. The token is good until {{.Expiry}}.
services:
  {{.Name}}:
    image: {{yaml .Image}}
    restart: unless-stopped
    read_only: true
    cap_drop: [ALL]
    security_opt: ["no-new-privileges:true"]
    tmpfs: [/tmp]
    environment:
      config.service.endpoint: {{yaml .Endpoint}}
      config.service.auth: {{yaml .Token}}
      runtime.deployment.mechanism: Docker
    ports:
      - "80:8080"
      - "443:8081"
    volumes:
      - {{.Name}}-config:/apim/config
    stop_grace_period: 40s

volumes:
  {{.Name}}-config:
`

const kubernetesText = `# Apply it with: kubectl apply -f FILE. The token is good until {{.Expiry}}.
apiVersion: v1
kind: ConfigMap
metadata:
  name: {{.Name}}-env
data:
  config.service.endpoint: {{yaml .Endpoint}}
  neighborhood.host: "{{.Name}}-instance-discovery"
  runtime.deployment.mechanism: "YAML"
  runtime.deployment.orchestrator.type: "Kubernetes"
---
apiVersion: v1
kind: Secret
metadata:
  name: {{.Name}}-token
type: Opaque
stringData:
  value: {{yaml .Token}}
---
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{.Name}}
  labels:
    app: {{.Name}}
spec:
  replicas: 1
  selector:
    matchLabels:
      app: {{.Name}}
  strategy:
    type: RollingUpdate
    rollingUpdate:
      maxUnavailable: 0
      maxSurge: 25%
  template:
    metadata:
      labels:
        app: {{.Name}}
    spec:
      terminationGracePeriodSeconds: 60
      securityContext:
        runAsNonRoot: true
        runAsUser: 1001
        fsGroup: 1001
        seccompProfile:
          type: RuntimeDefault
      containers:
        - name: gateway
          image: {{yaml .Image}}
          securityContext:
            allowPrivilegeEscalation: false
            readOnlyRootFilesystem: true
            capabilities:
              drop: ["ALL"]
          envFrom:
            - configMapRef:
                name: {{.Name}}-env
          env:
            - name: config.service.auth
              valueFrom:
                secretKeyRef:
                  name: {{.Name}}-token
                  key: value
          ports:
            - name: http
              containerPort: 8080
            - name: https
              containerPort: 8081
            - name: rate-limit-dc
              containerPort: 4290
              protocol: UDP
            - name: dc-heartbeat
              containerPort: 4291
              protocol: UDP
          readinessProbe:
            httpGet:
              path: /status-0123456789abcdef
              port: http
            periodSeconds: 5
            failureThreshold: 3
          livenessProbe:
            httpGet:
              path: /livez
              port: http
            periodSeconds: 10
            failureThreshold: 6
          volumeMounts:
            - name: tmp
              mountPath: /tmp
      volumes:
        - name: tmp
          emptyDir: {}
---
apiVersion: v1
kind: Service
metadata:
  name: {{.Name}}
spec:
  type: LoadBalancer
  externalTrafficPolicy: Local
  selector:
    app: {{.Name}}
  ports:
    - name: http
      port: 80
      targetPort: http
    - name: https
      port: 443
      targetPort: https
---
apiVersion: v1
kind: Service
metadata:
  name: {{.Name}}-instance-discovery
spec:
  clusterIP: None
  publishNotReadyAddresses: true
  selector:
    app: {{.Name}}
  ports:
    - name: rate-limit-discovery
      port: 4290
      targetPort: rate-limit-dc
      protocol: UDP
    - name: discovery-heartbeat
      port: 4291
      targetPort: dc-heartbeat
      protocol: UDP
`

const helmText = `# Values of the gateway's chart: helm install {{.Name}} CHART -f values.yaml. The token is good until {{.Expiry}}.
gateway:
  name: {{yaml .Gateway}}
  configuration:
    uri: {{yaml .Endpoint}}
  auth:
    type: GatewayToken
    key: {{yaml .Token}}
`

const systemdText = `# Save it as /etc/systemd/system/causeway-{{.Name}}.service with mode 0600, then: systemctl daemon-reload && systemctl enable --now causeway-{{.Name}}
# The token is good until {{.Expiry}}.
[Unit]
Description=Causeway self-hosted gateway {{.Name}}
Wants=network-online.target
After=network-online.target

[Service]
Environment="CONFIG_SERVICE_ENDPOINT={{unit .Endpoint}}"
Environment="CONFIG_SERVICE_AUTH={{unit .Token}}"
ExecStart=/usr/bin/causeway gateway --config-backup /var/lib/causeway-{{.Name}}/config
DynamicUser=yes
StateDirectory=causeway-{{.Name}}
StateDirectoryMode=0750
Restart=always
RestartSec=1s
TimeoutStopSec=40s
LimitNOFILE=1048576
AmbientCapabilities=CAP_NET_BIND_SERVICE
CapabilityBoundingSet=CAP_NET_BIND_SERVICE
NoNewPrivileges=yes
ProtectSystem=strict
ProtectHome=yes
PrivateTmp=yes

[Install]
WantedBy=multi-user.target
`
