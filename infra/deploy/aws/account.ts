// SPDX-License-Identifier: Apache-2.0
import { AssumeRoleCommand, GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts'
import type { AwsIdentity } from '#adapters/aws/clients/connection.ts'
import { failure } from '../failure.ts'
import { failureOf } from './failure.ts'

/** Who deploys, as AWS sees it. */
export interface Account {
  readonly account: string
  readonly arn: string
}

/** @throws DeployFailure for credentials that are missing, expired or unknown, and for a region that is none */
export async function whoAmI(region: string): Promise<Account> {
  const client = new STSClient({ region, maxAttempts: 2 })
  try {
    const { Account: account, Arn: arn } = await client.send(new GetCallerIdentityCommand({}))
    if (account === undefined || arn === undefined)
      throw failure('AWS did not say which account this is', 'run this again')
    return { account, arn }
  } catch (error) {
    throw failureOf(error)
  } finally {
    client.destroy()
  }
}

/** Credentials of a role for a quarter of an hour. @param session what the account's log calls it @throws DeployFailure */
export async function takeOn(role: string, region: string, session = 'ampere-deploy'): Promise<AwsIdentity> {
  const client = new STSClient({ region, maxAttempts: 3 })
  try {
    const command = new AssumeRoleCommand({
      RoleArn: role,
      RoleSessionName: session,
      DurationSeconds: 900,
    })
    const { Credentials: given } = await client.send(command)
    const {
      AccessKeyId: accessKeyId,
      SecretAccessKey: secretAccessKey,
      SessionToken: sessionToken,
      Expiration: expiration,
    } = given ?? {}
    if (accessKeyId === undefined || secretAccessKey === undefined || sessionToken === undefined)
      throw failure('AWS gave no credentials of the role that is to be taken on', 'run this again')
    return { accessKeyId, secretAccessKey, sessionToken, ...(expiration && { expiration }) }
  } catch (error) {
    throw failureOf(error)
  } finally {
    client.destroy()
  }
}
