/** A call of an AWS API that the local stack has received, for a comparison with the policies of a deployment. */
export interface AwsCall {
  /** The caller: one of the `ACCESS_KEYS` of the stack. */
  readonly accessKeyId: string;
  /** The IAM action, such as `s3:GetObject`. */
  readonly action: string;
  /** The resource of the call: bucket and key, workload, provider, model. */
  readonly target: Readonly<Record<string, string>>;
}
