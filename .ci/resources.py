"""Carries out SAM's transform, which the linters do not, and counts the resources.

It finds what only a deployment would find otherwise: two resources of one name, or more than CloudFormation takes.
"""

import os
import sys

from samtranslator.translator.transform import transform
from samtranslator.yaml_helper import yaml_parse

MOST = 450  # CloudFormation takes 500


class Policies:
    """The only managed policy that SAM gives a function by itself, for X-Ray."""

    def load(self):
        return {"AWSXRayDaemonWriteAccess": "arn:aws:iam::aws:policy/AWSXRayDaemonWriteAccess"}


os.environ.setdefault("AWS_DEFAULT_REGION", "ap-southeast-3")
with open("template.yaml", encoding="utf-8") as file:
    template = yaml_parse(file.read())
for resource in template["Resources"].values():
    if resource["Type"] == "AWS::Serverless::Function":
        resource["Properties"]["CodeUri"] = "s3://bucket/key"  # `sam package` would put the zip there
count = len(transform(template, {}, Policies())["Resources"])
print(f"{count} resources")
if count >= MOST:
    sys.exit(f"the template has to stay under {MOST} resources")
