// SPDX-License-Identifier: Apache-2.0
import { awsNames, type AwsNames } from '#infra/permissions/aws/names.ts'
import type { Stack } from './stack.ts'

/** The names of a test's stack, as those of a template. */
export function namesOf({ options: { naming, region } }: Stack): AwsNames {
  const key = (id: string) => `arn:aws:kms:${region}:000000000000:key/${id}`
  const { prefix, keys } = naming
  const names = awsNames({
    prefix,
    partition: 'aws',
    region,
    account: '000000000000',
    dataKey: key('00000000-0000-4000-8000-000000000000'),
    wrappingKey: key(keys.softwareKeys?.wrappingKey ?? ''),
    signingKey: (name) => key(keys.kms[name] ?? ''),
    stream: () => 'arn:aws:dynamodb:stream',
  })
  const tableName = (name: string) => `${prefix}-${name === 'keys' ? 'software-keys' : name}`
  return {
    ...names,
    tableName,
    table: (name) => `arn:aws:dynamodb:${region}:000000000000:table/${tableName(name)}`,
    bucketName: (name) => `${prefix}-${name}`,
    bucket: (name) => `arn:aws:s3:::${prefix}-${name}`,
  }
}
