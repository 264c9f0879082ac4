// SPDX-License-Identifier: Apache-2.0
import { logicalId, type Resource, type Resources } from './references.ts'
import type { AwsSettings } from './settings.ts'

/** Minutes after which marks that nothing drained are a fault: blocks are promised to be logged within one. */
const LAG_MS = 60_000
/** Of an append, with its wait for a receipt where one is asked for. */
const APPEND_P99_MS = 10_000
/** What is new in the log is audited each hour; one hour may fail. */
const AUDIT_HOURS = 3

interface Watch {
  readonly metric: object
  readonly says: string
  readonly above: number
  readonly periodSeconds: number
  readonly periods?: number
  readonly statistic?: object
  readonly below?: true
}

/** Whom alarms tell, what they watch, and a budget. Nothing that is sent names a patient, an institution or a key. */
export function alarms(settings: AwsSettings): Resources {
  const { prefix, identities, alarmEmail } = settings
  const has = (name: string) => identities.some((identity) => identity.name === name)
  const watched: Readonly<Record<string, Watch>> = {
    ...Object.assign({}, ...identities.map(({ name }) => functionWatches(prefix, name))),
    ...Object.fromEntries(
      identities
        .filter(({ wokenBy }) => wokenBy !== null)
        .map(({ name }) => [logicalId(name, 'DeadLetters'), deadLetterWatch(prefix, name)]),
    ),
    ...(has('sequencer') && sequencerWatches(prefix)),
    ...(has('auditor') && auditorWatches(prefix)),
    ...(has('writer') && { AppendP99: appendWatch(prefix) }),
    KmsCalls: kmsWatch(settings),
  }
  const subscription =
    alarmEmail === '' ? {} : { Subscription: [{ Protocol: 'email', Endpoint: alarmEmail }] }
  return {
    AlarmTopic: { Type: 'AWS::SNS::Topic', Properties: { TopicName: `${prefix}-alarms`, ...subscription } },
    ...filters(settings),
    ...Object.fromEntries(
      Object.entries(watched).map(([id, watch]) => [`${id}Alarm`, alarm(`${prefix}-${id}`, watch)]),
    ),
    ...budget(settings),
  }
}

function functionWatches(prefix: string, name: string): Readonly<Record<string, Watch>> {
  const of = (MetricName: string) => ({
    Namespace: 'AWS/Lambda',
    MetricName,
    Dimensions: [{ Name: 'FunctionName', Value: `${prefix}-${name}` }],
  })
  const each = { above: 0, periodSeconds: 300 }
  return {
    [logicalId(name, 'Errors')]: { ...each, metric: of('Errors'), says: `${name} ended with an error` },
    [logicalId(name, 'Throttles')]: {
      ...each,
      metric: of('Throttles'),
      says: `${name} was refused for concurrency`,
    },
  }
}

function sequencerWatches(prefix: string): Readonly<Record<string, Watch>> {
  const Dimensions = [{ Name: 'FunctionName', Value: `${prefix}-sequencer` }]
  return {
    SequencerLag: {
      metric: { Namespace: 'AWS/Lambda', MetricName: 'IteratorAge', Dimensions },
      says: 'new blocks wait to be logged',
      above: LAG_MS,
      periodSeconds: 60,
      periods: 3,
      statistic: { Statistic: 'Maximum' },
    },
    LogFailing: {
      metric: own(prefix, 'LogFailed'),
      says: 'the log is not written, leaves blocks out, or is behind what witnesses saw',
      above: 0,
      periodSeconds: 300,
    },
    OthersFailing: {
      metric: own(prefix, 'OthersFailing'),
      says: 'witnesses did not cosign, or a home was not copied, for a quarter of an hour',
      above: 0,
      periodSeconds: 300,
      periods: 3,
    },
  }
}

function deadLetterWatch(prefix: string, name: string): Watch {
  return {
    metric: {
      Namespace: 'AWS/SQS',
      MetricName: 'ApproximateNumberOfMessagesVisible',
      Dimensions: [{ Name: 'QueueName', Value: `${prefix}-${name}-failed` }],
    },
    says: `the stream gave up on waking ${name}; its schedule goes on`,
    above: 0,
    periodSeconds: 300,
    statistic: { Statistic: 'Maximum' },
  }
}

function auditorWatches(prefix: string): Readonly<Record<string, Watch>> {
  return {
    AuditAge: {
      metric: own(prefix, 'Audited'),
      says: 'no audit of the log ended well for three hours',
      above: 1,
      below: true,
      periodSeconds: 3600,
      periods: AUDIT_HOURS,
    },
    Damage: {
      metric: own(prefix, 'Damaged'),
      says: 'an audit found damage, something speaks against a log that is monitored, or the registry has two histories',
      above: 0,
      periodSeconds: 300,
    },
  }
}

function appendWatch(prefix: string): Watch {
  return {
    metric: own(prefix, 'AppendMs'),
    says: 'one of a hundred appends takes long',
    above: APPEND_P99_MS,
    periodSeconds: 300,
    periods: 3,
    statistic: { ExtendedStatistic: 'p99' },
  }
}

/** Of the account: KMS counts no calls by key. */
function kmsWatch({ kmsCallsPerHour }: AwsSettings): Watch {
  const dimensions = { Type: 'API', Service: 'KMS', Resource: 'Decrypt', Class: 'None' }
  return {
    metric: {
      Namespace: 'AWS/Usage',
      MetricName: 'CallCount',
      Dimensions: Object.entries(dimensions).map(([Name, Value]) => ({ Name, Value })),
    },
    says: 'KMS decrypts more often than it should',
    above: kmsCallsPerHour,
    periodSeconds: 3600,
  }
}

function own(prefix: string, MetricName: string): object {
  return { Namespace: `Ampere/${prefix}`, MetricName }
}

/** Metrics of events that roles log (functions/host/telemetry.ts): role, metric, which lines, what they count. */
const FILTERS: readonly (readonly [string, string, string, string])[] = [
  ['sequencer', 'LogFailed', anyOf('log-failed', 'log-skips', 'log-behind', 'witness-ahead'), '1'],
  ['sequencer', 'OthersFailing', anyOf('cosign-failed', 'witness-failed'), '1'],
  ['mirror', 'OthersFailing', anyOf('mirror-failed', 'mirror-problems'), '1'],
  ['monitor', 'Damaged', '{ $.role = "monitor" && $.code = "VERIFICATION_FAILED" }', '1'],
  ['follower', 'OthersFailing', anyOf('registry-unseen', 'revocation-overdue'), '1'],
  ['follower', 'Damaged', anyOf('registry-forked'), '1'],
  ['auditor', 'Audited', '{ $.event = "log-audited" }', '1'],
  ['auditor', 'Damaged', '{ $.event = "log-damaged" }', '1'],
  ['writer', 'AppendMs', '{ $.event = "request" && $.route = "/v1/blocks" }', '$.durationMs'],
]

function anyOf(...events: readonly string[]): string {
  return `{ ${events.map((event) => `$.event = "${event}"`).join(' || ')} }`
}

function filters({ prefix, identities }: AwsSettings): Resources {
  const present = FILTERS.filter(([role]) => identities.some(({ name }) => name === role))
  return Object.fromEntries(
    present.map(([role, metric, pattern, value]) => [
      logicalId(role, `${metric}Filter`),
      {
        Type: 'AWS::Logs::MetricFilter',
        Properties: {
          LogGroupName: { Ref: logicalId(role, 'LogGroup') },
          FilterPattern: pattern,
          MetricTransformations: [
            { MetricNamespace: `Ampere/${prefix}`, MetricName: metric, MetricValue: value },
          ],
        },
      },
    ]),
  )
}

function alarm(AlarmName: string, watch: Watch): Resource {
  const { metric, says, above, periodSeconds, periods = 1, statistic = { Statistic: 'Sum' }, below } = watch
  return {
    Type: 'AWS::CloudWatch::Alarm',
    Properties: {
      AlarmName,
      AlarmDescription: `${says} (docs/OPERATIONS.md)`,
      ...metric,
      ...statistic,
      Period: periodSeconds,
      EvaluationPeriods: periods,
      Threshold: above,
      ComparisonOperator: below ? 'LessThanThreshold' : 'GreaterThanThreshold',
      // Where it is what should be there that is counted, nothing at all is the fault.
      TreatMissingData: below ? 'breaching' : 'notBreaching',
      AlarmActions: [{ Ref: 'AlarmTopic' }],
    },
  }
}

/** Of the whole account: costs have no other bounds that need no tags to be switched on by hand. */
function budget({ prefix, budgetUsd, alarmEmail }: AwsSettings): Resources {
  if (budgetUsd === 0) return {}
  const tells = (NotificationType: 'ACTUAL' | 'FORECASTED', Threshold: number) => ({
    Notification: {
      NotificationType,
      ComparisonOperator: 'GREATER_THAN',
      Threshold,
      ThresholdType: 'PERCENTAGE',
    },
    Subscribers: [{ SubscriptionType: 'EMAIL', Address: alarmEmail }],
  })
  return {
    MonthlyBudget: {
      Type: 'AWS::Budgets::Budget',
      Properties: {
        Budget: {
          BudgetName: `${prefix}-monthly`,
          BudgetType: 'COST',
          TimeUnit: 'MONTHLY',
          BudgetLimit: { Amount: budgetUsd, Unit: 'USD' },
        },
        NotificationsWithSubscribers: [tells('ACTUAL', 80), tells('FORECASTED', 100)],
      },
    },
  }
}
