/** A call of an AWS API as the local stack has seen it: for holding it against the policies of a deployment. */
export interface AwsCall {
  /** Whose call it is: `ACCESS_KEYS` of the stack. */
  readonly accessKeyId: string;
  /** As IAM names it, such as `s3:GetObject`. */
  readonly action: string;
  /** What the call is about: bucket and key, workload, provider, model. */
  readonly target: Readonly<Record<string, string>>;
}
