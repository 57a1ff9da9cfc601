"""Deploys the template to MiniStack, an independent emulator of AWS: a check that it stands up, and a list of what was made.

    pip install 'ministack==1.5.*' 'aws-sam-translator==1.115.*' boto3 pyyaml
    python3 infra/release.py && ministack &          # the zips; the emulator on port 4566
    python3 infra/ministack.py

What the emulator cannot do is left out, and said: alarms over several metrics. It gives HTTP APIs no routes, so requests
are for the local system (`cargo run`), which reads the same template. The functions are those for x86_64.
"""

import json
import pathlib
import time
from collections import Counter

import boto3
import yaml

ROOT = pathlib.Path(__file__).resolve().parent.parent
ENDPOINT = "http://127.0.0.1:4566"
STACK = "qutab-dev"
MINUTES = 5


def client(service):
    return boto3.client(service, endpoint_url=ENDPOINT, region_name="ap-southeast-3", aws_access_key_id="test", aws_secret_access_key="test")


class Loader(yaml.SafeLoader):
    """YAML with CloudFormation's short forms, as the long ones."""


def short(loader, suffix, node):
    name = suffix if suffix in ("Ref", "Condition") else f"Fn::{suffix}"
    if isinstance(node, yaml.ScalarNode):
        value = loader.construct_scalar(node)
        value = value.split(".", 1) if suffix == "GetAtt" else value
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        value = loader.construct_mapping(node, deep=True)
    return {name: value}


Loader.add_multi_constructor("!", short)


def template(bucket):
    """The template with its code in `bucket`, and without what the emulator cannot make."""
    whole = yaml.load((ROOT / "template.yaml").read_text(), Loader)
    left_out = [name for name, r in whole["Resources"].items() if r["Type"] == "AWS::CloudWatch::Alarm" and "Metrics" in r["Properties"]]
    for name in left_out:
        del whole["Resources"][name]
    whole["Globals"]["Function"]["Architectures"] = ["x86_64"]
    for resource in whole["Resources"].values():
        if resource["Type"] == "AWS::Serverless::Function":
            function = resource["Metadata"]["BuildProperties"]["Binary"]
            resource["Properties"]["CodeUri"] = f"s3://{bucket}/{function}.zip"
    return whole, left_out


def main():
    s3, secrets, formation = client("s3"), client("secretsmanager"), client("cloudformation")
    s3.create_bucket(Bucket="code", CreateBucketConfiguration={"LocationConstraint": "ap-southeast-3"})
    for archive in sorted((ROOT / "target" / "lambda").glob("*.zip")):
        s3.upload_file(str(archive), "code", archive.name)
    for name, keys in {"tokens": ["signing_key", "public_keys", "cursor_key"], "referral": ["keys"], "vault": ["keys", "finder"],
                       "staff-vault": ["keys", "finder"], "zendit": ["secret", "webhook_token"]}.items():
        secrets.create_secret(Name=f"qutab/dev/{name}", SecretString=json.dumps(dict.fromkeys(keys, "of the emulator")))
    whole, left_out = template("code")
    s3.put_object(Bucket="code", Key="template.json", Body=json.dumps(whole, default=str).encode())
    formation.create_stack(StackName=STACK, TemplateURL=f"{ENDPOINT}/code/template.json", Capabilities=["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"])
    for _ in range(MINUTES * 30):
        status = formation.describe_stacks(StackName=STACK)["Stacks"][0]["StackStatus"]
        if not status.endswith("IN_PROGRESS"):
            break
        time.sleep(2)
    pages = formation.get_paginator("describe_stack_events").paginate(StackName=STACK)
    for event in (e for page in pages for e in page["StackEvents"] if "FAILED" in e["ResourceStatus"]):
        print(event["LogicalResourceId"], event["ResourceType"], event.get("ResourceStatusReason", ""))
    pages = formation.get_paginator("list_stack_resources").paginate(StackName=STACK)
    made = Counter(r["ResourceType"] for page in pages for r in page["StackResourceSummaries"])
    for kind, count in sorted(made.items()):
        print(f"{count:4} {kind}")
    print(f"left out: {', '.join(left_out) or 'nothing'}")
    print(status)
    raise SystemExit(status != "CREATE_COMPLETE")


if __name__ == "__main__":
    main()
