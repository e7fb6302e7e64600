#!/usr/bin/env python3
"""Paretone on Kubernetes with a pool for each version: writes the manifest, from the rules and the examples of contrib/.

    scripts/service/pools.py models/en/rules.toml | kubectl apply -f -

A request goes to the pool of the version that its policy begins with (Tolerance Tiers, ISPASS 2019, Figure 4): nginx reads
its headers `Tolerance` and `Objective`. Each pool is a Deployment of `paretone serve`, scaled by its own queue. A policy's
second version runs where its first did, which shares the scores; so any pool answers any request rightly, and a tolerance
that nginx does not understand goes to the strictest pool. Write the manifest again where the rules have changed.

With --nginx it writes the configuration of nginx alone. Needs PyYAML.
"""

import argparse
import copy
import pathlib
import tomllib

import yaml

CONTRIB = pathlib.Path(__file__).parents[2] / "contrib"

NGINX = """\
# The tolerance in thousandths, cut off: 013 is 0.013 or 1.3 %.
map $http_tolerance $thousandths {{
    default                             000;
    "~^\\s*0*\\.(?<t3>\\d\\d\\d)\\d*\\s*$"    $t3;
    "~^\\s*0*\\.(?<t2>\\d\\d)\\s*$"          ${{t2}}0;
    "~^\\s*0*\\.(?<t1>\\d)\\s*$"            ${{t1}}00;
    "~^\\s*(1(\\.0*)?|100(\\.0*)?\\s*%)\\s*$"  999;
    "~^\\s*(?<p2>\\d\\d)\\.(?<f2>\\d)\\d*\\s*%\\s*$"  $p2$f2;
    "~^\\s*(?<p3>\\d\\d)\\.?\\s*%\\s*$"      ${{p3}}0;
    "~^\\s*(?<p1>\\d)\\.(?<f1>\\d)\\d*\\s*%\\s*$"  0$p1$f1;
    "~^\\s*(?<p0>\\d)\\.?\\s*%\\s*$"        0${{p0}}0;
}}

map $http_objective $paretone_objective {{
    default                  response-time;
    "~*^\\s*cost\\s*$"         cost;
}}

{upgrade}
# The version that the policy begins with, by the rules; the first line that matches counts.
map $paretone_objective:$thousandths $paretone_pool {{
    default {strictest};
{tiers}}}

# A pool that is down is stood in for by the others. A connection for each request, so that each may reach another pod.
{upstreams}
{server}"""


def first_versions(rules):
    """For each objective, (tolerance in thousandths, version that the policy begins with), from the strictest on."""
    objectives = {}
    for tier in rules["tiers"]:
        policy = tier["policy"]
        entry = (round(tier["tolerance"] * 1000), policy.get("version") or policy["first"])
        tiers = objectives.setdefault(tier["objective"], [])
        if not tiers or tiers[-1][1] != entry[1]:
            tiers.append(entry)
    return objectives


def block(text, head):
    """The block of nginx's configuration that begins with these words."""
    start = text.index(f"\n{head} {{") + 1
    return text[start : text.index("\n}\n", start) + 3]


def nginx(objectives, versions):
    """nginx's configuration; the server is that of contrib/nginx.conf, behind other pools."""
    example = (CONTRIB / "nginx.conf").read_text()
    upgrade, server = (block(example, head) for head in ("map $http_upgrade $paretone_connection", "server"))
    strictest = objectives["response-time"][0][1]
    lines = []
    for objective, tiers in objectives.items():
        for (start, version), end in zip(tiers, [start for start, _ in tiers[1:]] + [None]):
            thousandths = "" if end is None else "(" + "|".join(f"{t:03}" for t in range(start, end)) + ")$"
            lines.append(f'    "~^{objective}:{thousandths}" {version};\n')
    upstreams = []
    for version in versions:
        others = "".join(f"    server paretone-{other}:80 backup;\n" for other in versions if other != version)
        upstreams.append(f"upstream {version} {{\n    server paretone-{version}:80;\n{others}}}\n")
    parts = {"tiers": "".join(lines), "upstreams": "\n".join(upstreams), "upgrade": upgrade, "server": server.replace("listen 80;", "listen 8080;")}
    return NGINX.format(strictest=strictest, **parts)


def pool(documents, version):
    """The Deployment, Service and HorizontalPodAutoscaler of one version's pool."""
    name, labels = f"paretone-{version}", {"app": "paretone", "pool": version}
    for document in copy.deepcopy(documents):
        document["metadata"]["name"] = name
        document["metadata"]["labels"] = labels
        spec = document["spec"]
        if document["kind"] == "Deployment":
            spec["selector"]["matchLabels"] = labels
            spec["template"]["metadata"]["labels"] = labels
        elif document["kind"] == "Service":
            spec["selector"] = labels
        else:
            spec["scaleTargetRef"]["name"] = name
        yield document


def gateway(configuration):
    """nginx before the pools: its configuration, Deployment and Service."""
    labels = {"app": "paretone-gateway"}

    def document(version, kind, **rest):
        name = {"name": "paretone-gateway", "labels": labels}
        return {"apiVersion": version, "kind": kind, "metadata": name, **rest}

    container = {
        "name": "nginx",
        "image": "nginxinc/nginx-unprivileged:1.28",
        "ports": [{"name": "http", "containerPort": 8080}],
        "readinessProbe": {"tcpSocket": {"port": "http"}},
        "resources": {"requests": {"cpu": "250m", "memory": "64Mi"}, "limits": {"memory": "256Mi"}},
        "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
        "volumeMounts": [{"name": "settings", "mountPath": "/etc/nginx/conf.d", "readOnly": True}],
    }
    pod = {
        "securityContext": {"runAsNonRoot": True, "runAsUser": 101, "seccompProfile": {"type": "RuntimeDefault"}},
        "containers": [container],
        "volumes": [{"name": "settings", "configMap": {"name": "paretone-gateway"}}],
    }
    template = {"metadata": {"labels": labels}, "spec": pod}
    deployment = {"replicas": 2, "selector": {"matchLabels": labels}, "template": template}
    service = {"selector": labels, "ports": [{"name": "http", "port": 80, "targetPort": "http"}]}
    yield document("v1", "ConfigMap", data={"default.conf": configuration})
    yield document("apps/v1", "Deployment", spec=deployment)
    yield document("v1", "Service", spec=service)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("rules", type=pathlib.Path, help="the rules that `paretone tiers train` wrote")
    parser.add_argument("--nginx", action="store_true", help="nginx's configuration alone")
    arguments = parser.parse_args()
    objectives = first_versions(tomllib.loads(arguments.rules.read_text()))
    versions = sorted({version for tiers in objectives.values() for _, version in tiers})
    configuration = nginx(objectives, versions)
    if arguments.nginx:
        print(configuration, end="")
        return
    documents = list(yaml.safe_load_all((CONTRIB / "kubernetes.yaml").read_text()))
    settings = [document for document in documents if document["kind"] == "ConfigMap"]
    pooled = [document for document in documents if document["kind"] != "ConfigMap"]
    pools = [document for version in versions for document in pool(pooled, version)]
    print(yaml.safe_dump_all([*settings, *pools, *gateway(configuration)], sort_keys=False, width=140), end="")


if __name__ == "__main__":
    main()
