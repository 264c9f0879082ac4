// SPDX-License-Identifier: Apache-2.0
import { DeleteObjectsCommand, ListObjectsV2Command, S3Client } from '@aws-sdk/client-s3'
import type { Resource, Resources } from '#infra/aws/references.ts'
import type { StoresTemplate } from '#infra/aws/template.ts'
import { failureOf } from './failure.ts'
import type { Stacks } from './stacks.ts'

/** The same stack, of which nothing is retained or protected: only so is what it holds removed with it. */
export function unretained(template: StoresTemplate): StoresTemplate {
  const loose = Object.entries(template.Resources).map(([id, resource]) => [id, loosened(resource)])
  return { ...template, Resources: Object.fromEntries(loose) as Resources }
}

function loosened(resource: Resource): Resource {
  const { Properties, DeletionPolicy } = resource
  return {
    ...resource,
    ...(DeletionPolicy && { DeletionPolicy: 'Delete', UpdateReplacePolicy: 'Delete' }),
    ...('DeletionProtectionEnabled' in Properties && {
      Properties: { ...Properties, DeletionProtectionEnabled: false },
    }),
  }
}

/**
 * Removes a stack with all that it keeps: first what protects it, then what its buckets hold, then the stack. Goes on where it was
 * interrupted. Keys end after the days for which KMS lets them be taken back.
 * @throws DeployFailure
 */
export async function eraseStores(
  stacks: Stacks,
  name: string,
  template: StoresTemplate,
  region: string,
): Promise<void> {
  const stack = await stacks.find(name)
  if (!stack) return
  if (!stack.status.startsWith('DELETE_')) {
    await stacks.apply(name, unretained(template))
    await stacks.unprotect(name)
  }
  await emptyBuckets(region, await stacks.named(name, 'AWS::S3::Bucket'))
  await stacks.remove(name)
}

async function emptyBuckets(region: string, buckets: readonly string[]): Promise<void> {
  const client = new S3Client({
    region,
    maxAttempts: 5,
    forcePathStyle: process.env['AWS_ENDPOINT_URL'] !== undefined,
  })
  try {
    for (const bucket of buckets) await emptyBucket(client, bucket)
  } catch (error) {
    throw failureOf(error)
  } finally {
    client.destroy()
  }
}

/** Buckets have no versions: what is deleted is gone. One that is gone itself is empty. */
async function emptyBucket(client: S3Client, Bucket: string): Promise<void> {
  for (;;) {
    const { Contents: found = [] } = await client
      .send(new ListObjectsV2Command({ Bucket }))
      .catch((error: unknown) => {
        if ((error as { name?: unknown }).name === 'NoSuchBucket') return { Contents: [] }
        throw error
      })
    if (found.length === 0) return
    const Objects = found.map(({ Key }) => ({ Key: Key ?? '' }))
    const { Errors: [first] = [] } = await client.send(
      new DeleteObjectsCommand({ Bucket, Delete: { Objects, Quiet: true } }),
    )
    // Otherwise the same would be listed again and again.
    if (first) throw Object.assign(new Error(first.Message), { name: first.Code ?? 'unknown' })
  }
}
