# fetch FOLDER: unpacks the object $key of $bucket whose SHA-256 is $sha256. Needs a Python with boto3.
# The instance's profile may need some seconds until it opens the bucket.
fetch() {
  python - "$bucket" "$key" "$sha256" "$1" <<'PYTHON'
import hashlib, io, sys, time, zipfile
import boto3, botocore

bucket, key, sha256, folder = sys.argv[1:]
for attempt in range(60):
    try:
        body = boto3.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read()
        break
    except (botocore.exceptions.ClientError, botocore.exceptions.BotoCoreError) as error:
        print(f"The bundle cannot be fetched yet: {error}", file=sys.stderr, flush=True)
        time.sleep(5)
else:
    sys.exit("The bundle cannot be fetched.")
if hashlib.sha256(body).hexdigest() != sha256:
    sys.exit(f"The bundle s3://{bucket}/{key} is not the one that was meant: its SHA-256 differs.")
zipfile.ZipFile(io.BytesIO(body)).extractall(folder)
PYTHON
}
