// SPDX-License-Identifier: Apache-2.0
import { DynamoDBClient, ListTablesCommand } from '@aws-sdk/client-dynamodb'
import { ListBucketsCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3'
import { expect, it } from '@jest/globals'
import { awsCloud, eraseKept } from '#cli/cloud/aws/cloud.ts'
import { makeKept } from '#cli/cloud/aws/deploy.ts'
import { cloudFolder, type CloudDeployment } from '#cli/cloud/cloud-folder.ts'
import { makeFolder } from '#cli/deployment/files.ts'
import { isAmpereError } from '#core/errors.ts'
import { whoAmI } from '#infra/deploy/aws/account.ts'
import { withStacks } from '#infra/deploy/aws/stacks.ts'
import { freshFolder } from '#tests/cli/harness.ts'
import { describeOn } from '../stack.ts'
import { REGION, wireForTests } from './failing-wire.ts'

describeOn('MiniStack', 'what a deployment keeps', () => {
  const wire = wireForTests()
  const data = freshFolder()
  const noPause = async () => {}

  const make = async (stage: string): Promise<CloudDeployment> => {
    wire().mend()
    const folder = cloudFolder(data, 'aws', stage)
    makeFolder(folder)
    const { account } = await whoAmI(REGION)
    const institutions = [{ id: 'hospital-a', name: 'Hospital A' }]
    const wanted = { v: 1, provider: 'aws', stage, region: REGION, parameters: {}, institutions } as const
    const passphrase = { text: 'of the test', masters: new Map(), isRandom: true }
    const deploying = { folder, passphrase, say: () => {}, pause: noPause }
    const known = await makeKept(
      { ...wanted, institutions: [...institutions], demo: true, home: null },
      account,
      deploying,
    )
    const s3 = new S3Client({ region: REGION, forcePathStyle: true })
    for (const Key of ['a', 'b/c'])
      await s3.send(
        new PutObjectCommand({ Bucket: `ampere-${stage}-entries-${account}-${REGION}`, Key, Body: 'sealed' }),
      )
    s3.destroy()
    return known
  }
  const erase = async (known: CloudDeployment): Promise<void> => {
    await withStacks(REGION, noPause, (stacks) => eraseKept(stacks, known))
  }
  /** Names of what is there of a stage. */
  const left = async (stage: string): Promise<readonly string[]> => {
    const [tables, s3] = [new DynamoDBClient({ region: REGION }), new S3Client({ region: REGION })]
    const { TableNames = [] } = await tables.send(new ListTablesCommand({ Limit: 100 }))
    const { Buckets = [] } = await s3.send(new ListBucketsCommand({}))
    tables.destroy()
    s3.destroy()
    const stack = await withStacks(REGION, noPause, (stacks) => stacks.find(`ampere-${stage}-stores`))
    const names = [...TableNames, ...Buckets.map(({ Name }) => Name ?? '')]
    return [...names.filter((name) => name.startsWith(`ampere-${stage}-`)), ...(stack ? [stack.status] : [])]
  }

  it('is not touched with credentials of another account, nor where the stack is of another home', async () => {
    const known = await make('o')
    const there = await left('o')
    const aws = awsCloud(process.env)
    const elsewhere = { ...known, account: '999999999999' }
    for (const act of [() => aws.removal(elsewhere, true), () => aws.standing(elsewhere)])
      await expect(act()).rejects.toMatchObject({
        message: expect.stringMatching(/and the deployment is in 999999999999$/),
      })
    const { home } = known
    if (!home) throw new Error('there is no home')
    const other = { ...known, home: { ...home, origin: 'https://other.example' } }
    for (const erases of [false, true])
      await expect(aws.removal(other, erases)).rejects.toMatchObject({
        message: expect.stringMatching(/is of another deployment/),
      })
    expect(await left('o')).toEqual(there)
  }, 60_000)

  it('is erased, tables, buckets with what they hold and the stack, also where that was broken off at any call', async () => {
    const whole = await make('e')
    expect((await left('e')).length).toBeGreaterThan(20)
    wire().mend()
    await erase(whole)
    const asked = [...wire().asked]
    expect(await left('e')).toEqual([])
    wire().mend()
    await erase(whole)
    const changes = /^(UpdateStack|UpdateTerminationProtection|DeleteStack|POST)$/
    const writes = asked.flatMap((kind, at) => (changes.test(kind) ? [[kind, at] as const] : []))
    expect(writes.length).toBeGreaterThan(3)
    for (const [kind, at] of writes)
      for (const isApplied of [false, true]) {
        const stage = `e${at}${isApplied ? 'a' : 'n'}`
        const made = await make(stage)
        wire().mend({ at, isApplied })
        const failed = await erase(made).then(
          () => 'it did not fail',
          (error: unknown) => (isAmpereError(error) ? 'failed' : error),
        )
        wire().mend()
        await erase(made)
        expect({ kind, at, isApplied, failed, left: await left(stage) }).toEqual({
          kind,
          at,
          isApplied,
          failed: 'failed',
          left: [],
        })
      }
  }, 200_000)
})
