// SPDX-License-Identifier: Apache-2.0
import { utf8 } from '#core/bytes/encoding.ts'
import { asDeploymentId } from '#core/bytes/ids.ts'
import { createRecord } from '#core/client/acts/create-record.ts'
import { createReceiptJudge, type ReceiptSubject } from '#core/client/receipt/judge.ts'
import { createVerifiers } from '#core/crypto/signature.ts'
import { witnessedWorld } from '#tests/core/server/cosign/witnessed-world.ts'
import { ORIGIN } from '#tests/deployment.ts'
import { figure, inTurn, type Bench, type Sample } from '../measure.ts'

/** Receipts, each under a checkpoint of its own, and so with signatures that nobody has looked at yet. */
const RECEIPTS = 64

export const bench: Bench = {
  question: 'How long does it take to verify one receipt offline?',
  run: async () => {
    const { world, policy, clock } = await witnessedWorld(['w1', 'w2'], 2)
    const a = world.connect('hospital-a')
    const { record } = await createRecord(a, { deployment: asDeploymentId('home-1'), origin: ORIGIN }, [
      'general',
    ])
    const receipts: { text: string; subject: ReceiptSubject }[] = []
    for (let i = 0; i < RECEIPTS; i++) {
      await a.append(record, [{ header: utf8('{}'), content: utf8(`${i}`), compartment: 'general' }])
      clock.now += 1000
      await world.tendLog()
      const note = (await a.replica(record)).notes.at(-1)
      const text = note && (await a.api.receipt(record, note.id, note.height))
      if (!note || text === null || text === undefined) throw new Error('a receipt is expected')
      receipts.push({
        text,
        subject: { chain: record, height: note.height, home: ORIGIN, hash: note.hash, labelKey: null },
      })
    }
    const verifyAll = async () => {
      const judge = createReceiptJudge(policy, createVerifiers())
      for (const { text, subject } of receipts) {
        const { level } = await judge.judge(text, subject)
        if (level !== 'witnessed') throw new Error('a receipt does not verify')
      }
    }
    const again = createReceiptJudge(policy, createVerifiers())
    const sharing = async () => {
      for (const { text, subject } of receipts) await again.judge(text, subject)
    }
    const { apart, shared } = await inTurn({ apart: verifyAll, shared: sharing })
    const each = (samples: readonly Sample[]) => samples.map(({ wallMs }) => wallMs / RECEIPTS)
    return {
      sizes: `${RECEIPTS} receipts one after the other, each under a checkpoint with six signatures: Ed25519 and ML-DSA-44 of the log and of two witnesses, all verified`,
      figures: [
        figure('one receipt under a checkpoint of its own', 'ms', each(apart), { atMost: 2 }),
        figure('one receipt under a checkpoint that was opened before', 'ms', each(shared)),
      ],
      doesNotShow:
        'reading the file; a process that starts cold; ML-DSA-44 in a browser, where it is JavaScript.',
    }
  },
}
