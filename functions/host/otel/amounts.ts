// SPDX-License-Identifier: Apache-2.0
import { metrics, type Meter } from '@opentelemetry/api'
import { SCOPE } from '#adapters/around/traces.ts'
import type { Amounts, Telemetry } from '../telemetry.ts'

/** Seconds; a receipt is promised within 60. */
const RECEIPT_BUCKETS = [0.05, 0.1, 0.25, 0.5, 1, 2, 3, 5, 10, 20, 30, 60]

type Records = { readonly [N in keyof Amounts]: (value: number) => void }

/** Turns what roles say into instruments (docs/OPERATIONS.md, "Telemetry", has their names). @param nowMs by any clock */
export function amountInstruments(nowMs: () => number): Telemetry['amount'] {
  const meter = metrics.getMeter(SCOPE)
  const records: Records = {
    ...ofLog(meter),
    ...ofReceipts(meter),
    ...ofErasures(meter),
    ...ofAudits(meter, nowMs),
  }
  return (name, value) => records[name](value)
}

function ofLog(meter: Meter): Pick<Records, 'log.blocks' | 'log.lag' | 'log.skipped'> {
  const blocks = meter.createCounter('ampere.log.blocks', {
    unit: '{block}',
    description: 'Blocks that were logged.',
  })
  const lag = meter.createGauge('ampere.log.lag', {
    unit: 's',
    description: 'How long the oldest block of the last run had waited, or since when logging fails.',
  })
  const skipped = meter.createGauge('ampere.log.skipped', {
    unit: '{chain}',
    description: 'Chains that cannot be logged.',
  })
  return {
    'log.blocks': (value) => blocks.add(value),
    'log.lag': (value) => lag.record(value / 1000),
    'log.skipped': (value) => skipped.record(value),
  }
}

function ofReceipts(meter: Meter): Pick<Records, 'receipt.wait' | 'receipt.none'> {
  const waits = meter.createHistogram('ampere.receipt.duration', {
    unit: 's',
    description: 'From when a block was stored until whoever waited had its receipt.',
    advice: { explicitBucketBoundaries: RECEIPT_BUCKETS },
  })
  const none = meter.createCounter('ampere.receipt.none', {
    unit: '{request}',
    description: 'Who waited for a receipt and had none in time, or left.',
  })
  return {
    'receipt.wait': (value) => waits.record(value / 1000),
    'receipt.none': (value) => none.add(value),
  }
}

function ofErasures(meter: Meter): Pick<Records, 'erasures.waiting'> {
  const waiting = meter.createGauge('ampere.erasures.waiting', {
    unit: '{erasure}',
    description: 'Erasures that are ordered and could not be carried out.',
  })
  return { 'erasures.waiting': (value) => waiting.record(value) }
}

function ofAudits(meter: Meter, nowMs: () => number): Pick<Records, 'audit.begun' | 'audit.findings'> {
  const findings = meter.createGauge('ampere.audit.findings', {
    unit: '{finding}',
    description: 'Findings of the last audit of the log that came to its end.',
  })
  const age = meter.createObservableGauge('ampere.audit.age', {
    unit: 's',
    description: 'Since the last audit of the log came to its end, or since this process began.',
  })
  let auditedMs: number | null = null
  age.addCallback((result) => {
    if (auditedMs !== null) result.observe((nowMs() - auditedMs) / 1000)
  })
  return {
    'audit.begun': () => void (auditedMs = nowMs()),
    'audit.findings': (value) => {
      findings.record(value)
      auditedMs = nowMs()
    },
  }
}
