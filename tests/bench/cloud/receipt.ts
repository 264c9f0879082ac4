// SPDX-License-Identifier: Apache-2.0
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { deployAws } from '#cli/cloud/aws/deploy.ts'
import type { CloudDeployment } from '#cli/cloud/cloud-folder.ts'
import { fetchByApi } from '#adapters/aws/clients/emulated-api.ts'
import { makeFolder } from '#cli/deployment/files.ts'
import { openBridge } from '#cli/open/bridge.ts'
import { createLazyValidator } from '#cli/open/validator.ts'
import { utf8 } from '#core/bytes/encoding.ts'
import { asDeploymentId } from '#core/bytes/ids.ts'
import { createRecord } from '#core/client/acts/create-record.ts'
import type { Connection } from '#core/client/connect.ts'
import { figure, median, type Bench } from '../measure.ts'
import { settingsOf } from '#tests/cloud/aws/deploy/as-settings.ts'
import { onEmulators } from './emulators.ts'

const PASSPHRASE = 'of the benchmark'
const STAGE = 'bench'
const REGION = 'eu-central-1'
const INSTITUTION = 'hospital-a'
const APPENDS = 15
const AGAIN_MS = 50
const MAX_WAIT_MS = 120_000
/** Between two calls of the sequencer by its schedule (infra/aws/functions.ts). */
const SCHEDULE_MS = 60_000

export const bench: Bench = {
  question: 'How long until a block has its receipt, where the stream of a table wakes the sequencer?',
  run: () => {
    process.env['PATH'] = `${join(process.execPath, '..')}:${process.env['PATH']}`
    return onEmulators('aws', async () => {
      const folder = mkdtempSync(join(tmpdir(), 'ampere-receipt-'))
      Object.assign(process.env, {
        AWS_ENDPOINT_URL: process.env['AMPERE_AWS_MINISTACK'],
        AWS_ACCESS_KEY_ID: 'test',
        AWS_SECRET_ACCESS_KEY: 'test',
        AWS_REGION: REGION,
      })
      const deployed = await deploy(folder)
      const { connection, record } = await begin(folder, deployed)
      const samples: { readonly appendMs: number; readonly receiptMs: number }[] = []
      for (let i = 0; i < APPENDS; i++) samples.push(await receiptOf(connection, record, i))
      rmSync(folder, { recursive: true })
      const receiptMs = samples.map((sample) => sample.receiptMs)
      return {
        sizes: `a deployment by osls on MiniStack, called through its HTTP API; ${APPENDS} appends one after the other, the receipt asked for each ${AGAIN_MS} ms; the first one meets cold functions`,
        figures: [
          figure(
            'append',
            'ms',
            samples.map(({ appendMs }) => appendMs),
          ),
          figure('receipt after the append was answered, woken by the stream', 'ms', receiptMs),
          figure(
            'receipt after the append was sent',
            'ms',
            samples.map((sample) => sample.appendMs + sample.receiptMs),
          ),
          figure('by the schedule alone: at most, computed', 'ms', [SCHEDULE_MS + median(receiptMs)]),
        ],
        doesNotShow:
          'AWS: the emulator looks at the stream in its own time, and was not seen to fire a schedule. By the schedule alone a block waits for up to a minute, 30 s on average, and then as long as a run takes.',
      }
    })
  },
}

async function deploy(folder: string): Promise<CloudDeployment> {
  makeFolder(folder)
  writeFileSync(join(folder, 'passphrase'), PASSPHRASE, { mode: 0o600 })
  const wanted: CloudDeployment = {
    v: 1,
    provider: 'aws',
    stage: STAGE,
    region: REGION,
    parameters: {},
    institutions: [{ id: INSTITUTION, name: 'Hospital A' }],
    demo: true,
    home: null,
  }
  return deployAws(wanted, {
    folder,
    passphrase: { text: PASSPHRASE, masters: new Map(), isRandom: true },
    say: (line) => process.stderr.write(`  ${line}\n`),
    pause,
  })
}

async function begin(folder: string, deployed: CloudDeployment) {
  const settings = settingsOf(deployed)
  const fetch = fetchByApi(process.env)
  const validator = createLazyValidator()
  const context = { folder, settings, passphrase: PASSPHRASE, fetch, validator, beside: false }
  const { connection } = await openBridge(context, INSTITUTION)
  const { deployment, origin } = settings
  const { record } = await createRecord(connection, { deployment: asDeploymentId(deployment), origin }, [
    'general',
  ])
  return { connection, record }
}

async function receiptOf(
  connection: Connection,
  record: Awaited<ReturnType<typeof createRecord>>['record'],
  at: number,
): Promise<{ readonly appendMs: number; readonly receiptMs: number }> {
  const begun = performance.now()
  await connection.append(record, [
    { header: utf8('{}'), content: utf8(`block ${at}`), compartment: 'general' },
  ])
  const appended = performance.now()
  const { notes } = await connection.replica(record)
  const newest = notes.at(-1)
  if (!newest) throw new Error('the record is empty')
  while (!(await connection.api.receipt(record, newest.id, newest.height))) {
    if (performance.now() - appended > MAX_WAIT_MS) throw new Error('a block has no receipt')
    await pause(AGAIN_MS)
  }
  return { appendMs: appended - begun, receiptMs: performance.now() - appended }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}
