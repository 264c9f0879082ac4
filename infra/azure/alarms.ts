// SPDX-License-Identifier: Apache-2.0
import { after, API, COSMOS, filledIn, HERE, namesOf, SITES, VAULTS, type Resource } from './references.ts'
import type { AzureSettings } from './settings.ts'

const WORKSPACES = 'Microsoft.OperationalInsights/workspaces'
const COMPONENTS = 'Microsoft.Insights/components'
const ACTIONS = 'Microsoft.Insights/actionGroups'

/** What is counted of a service. */
interface Counted {
  readonly name: string
  readonly says: string
  readonly on: readonly [type: string, name: string]
  readonly namespace: string
  readonly metric: string
  readonly dimensions?: Readonly<Record<string, readonly string[]>>
}

/** What is looked for in the lines of roles (functions/host/telemetry.ts): as many rows as the threshold are a fault. */
interface Asked {
  readonly name: string
  readonly says: string
  readonly query: string
  readonly minutes: number
  /** Fewer than one row is the fault. */
  readonly missing?: true
}

/**
 * How often logs are searched, in minutes: a rule that does each 5 costs three times as much. What answers requests has an alarm on
 * a metric beside, within 5 minutes. No window may be shorter, or what falls between two would be missed.
 */
const SEARCH_MINUTES = 15
/** Lines are JSON, one each, that the host takes from standard output. */
const EVENTS = 'AppTraces | extend line = parse_json(Message) | where tostring(line.event)'
const ASKED: readonly (Asked & { readonly role: string | null })[] = [
  {
    role: null,
    name: 'failures',
    says: 'a function ended with an error',
    query: 'AppRequests | where Success == false and toint(ResultCode) !between (400 .. 499)',
    minutes: 15,
  },
  {
    role: 'sequencer',
    name: 'log-failing',
    says: 'the log is not written, leaves blocks out, or is behind what witnesses saw',
    query: `${EVENTS} in ('log-failed', 'log-skips', 'log-behind', 'witness-ahead')`,
    minutes: 15,
  },
  {
    role: 'sequencer',
    name: 'sequencer-silent',
    says: 'the sequencer was not called for a quarter of an hour',
    query: "AppRequests | where OperationName startswith 'sequencer-'",
    minutes: 15,
    missing: true,
  },
  {
    role: 'sequencer',
    name: 'others-failing',
    says: 'witnesses did not cosign, or a home was not copied, for a quarter of an hour',
    query: everyFiveMinutes(['cosign-failed', 'witness-failed', 'mirror-failed', 'mirror-problems']),
    minutes: 15,
  },
  {
    role: 'auditor',
    name: 'damage',
    says: 'an audit found damage, or something speaks against a log that is monitored',
    query: `${EVENTS} == 'log-damaged' or (line.role == 'monitor' and line.code == 'VERIFICATION_FAILED')`,
    minutes: 15,
  },
  {
    role: 'auditor',
    name: 'audit-age',
    says: 'no audit of the log ended well for three hours',
    query: `${EVENTS} == 'log-audited'`,
    minutes: 180,
    missing: true,
  },
]

/** A row where these were said in each of the three five minutes of a quarter of an hour: others' servers are restarted. */
function everyFiveMinutes(events: readonly string[]): string {
  const named = events.map((event) => `'${event}'`).join(', ')
  return `${EVENTS} in (${named}) | summarize parts = dcount(bin(TimeGenerated, 5m)) | where parts >= 3`
}

/** Where roles write, who is told and of what, and a budget. Nothing that is sent names a patient, an institution or a key. */
export function alarms(settings: AzureSettings): readonly Resource[] {
  const { prefix, identities } = settings
  const present = ASKED.filter(({ role }) => role === null || identities.some(({ name }) => name === role))
  return [
    ...logs(settings),
    {
      type: ACTIONS,
      apiVersion: API.actionGroup,
      name: namesOf(prefix).actions,
      location: 'Global',
      properties: {
        groupShortName: 'ampere',
        enabled: true,
        emailReceivers: receivers(settings),
      },
    },
    ...counted(settings).map((one) => metricAlert(prefix, one)),
    ...present.map((one) => queryAlert(prefix, one)),
    ...budget(settings),
  ]
}

function receivers({ alarmEmail }: AzureSettings): readonly object[] {
  if (alarmEmail === '') return []
  return [{ name: 'operator', emailAddress: alarmEmail, useCommonAlertSchema: true }]
}

function logs({ prefix, logRetentionDays }: AzureSettings): readonly Resource[] {
  const { workspace, insights } = namesOf(prefix)
  return [
    {
      type: WORKSPACES,
      apiVersion: API.logs,
      name: workspace,
      location: HERE,
      properties: {
        sku: { name: 'PerGB2018' },
        retentionInDays: logRetentionDays,
        features: { disableLocalAuth: true },
      },
    },
    {
      type: COMPONENTS,
      apiVersion: API.insights,
      name: insights,
      location: HERE,
      kind: 'web',
      dependsOn: [after(WORKSPACES, workspace)],
      properties: {
        Application_Type: 'web',
        WorkspaceResourceId: after(WORKSPACES, workspace),
        // The connection string then says where, and lets nobody in.
        DisableLocalAuth: true,
        DisableIpMasking: false,
      },
    },
  ]
}

function counted({ prefix, identities }: AzureSettings): readonly Counted[] {
  const { app, cosmos, vault } = namesOf(prefix)
  return [
    ...identities.map(({ name }) => ({
      name: `${name}-5xx`,
      says: `${name} answered with an error of its own`,
      on: [SITES, app(name)] as const,
      namespace: SITES,
      metric: 'Http5xx',
    })),
    {
      name: 'tables-throttled',
      says: 'Cosmos DB asks for fewer requests',
      on: [COSMOS, cosmos],
      namespace: COSMOS,
      metric: 'TotalRequests',
      dimensions: { StatusCode: ['429'] },
    },
    {
      name: 'vault-throttled',
      says: 'Key Vault asks for fewer requests, or fails',
      on: [VAULTS, vault],
      namespace: VAULTS,
      metric: 'ServiceApiResult',
      dimensions: { StatusCode: ['429', '500', '503'] },
    },
  ]
}

function metricAlert(
  prefix: string,
  { name, says, on, namespace, metric, dimensions = {} }: Counted,
): Resource {
  const [type, resource] = on
  const counts = metric === 'Http5xx' ? 'Total' : 'Count'
  return {
    type: 'Microsoft.Insights/metricAlerts',
    apiVersion: API.metricAlert,
    name: `${prefix}-${name}`,
    location: 'Global',
    dependsOn: [after(type, resource), after(ACTIONS, namesOf(prefix).actions)],
    properties: {
      description: says,
      severity: 2,
      enabled: true,
      scopes: [after(type, resource)],
      evaluationFrequency: 'PT5M',
      windowSize: 'PT5M',
      criteria: {
        'odata.type': 'Microsoft.Azure.Monitor.SingleResourceMultipleMetricCriteria',
        allOf: [
          {
            name,
            criterionType: 'StaticThresholdCriterion',
            metricNamespace: namespace,
            metricName: metric,
            timeAggregation: counts,
            operator: 'GreaterThan',
            threshold: 0,
            dimensions: Object.entries(dimensions).map(([dimension, values]) => ({
              name: dimension,
              operator: 'Include',
              values,
            })),
          },
        ],
      },
      actions: [{ actionGroupId: after(ACTIONS, namesOf(prefix).actions) }],
    },
  }
}

function queryAlert(prefix: string, { name, says, query, minutes, missing }: Asked): Resource {
  const { workspace, actions } = namesOf(prefix)
  return {
    type: 'Microsoft.Insights/scheduledQueryRules',
    apiVersion: API.queryAlert,
    name: `${prefix}-${name}`,
    location: HERE,
    kind: 'LogAlert',
    dependsOn: [after(WORKSPACES, workspace), after(ACTIONS, actions)],
    properties: {
      description: says,
      severity: 1,
      enabled: true,
      scopes: [after(WORKSPACES, workspace)],
      evaluationFrequency: `PT${SEARCH_MINUTES}M`,
      windowSize: minutes < 60 ? `PT${minutes}M` : `PT${minutes / 60}H`,
      // The tables are there once something was written to them.
      skipQueryValidation: true,
      criteria: {
        allOf: [
          {
            query,
            timeAggregation: 'Count',
            operator: missing ? 'LessThan' : 'GreaterThan',
            threshold: missing ? 1 : 0,
            failingPeriods: { numberOfEvaluationPeriods: 1, minFailingPeriodsToAlert: 1 },
          },
        ],
      },
      actions: { actionGroups: [after(ACTIONS, actions)] },
    },
  }
}

/** Of the resource group, from the month in which it is deployed. */
function budget({ prefix, budget: amount, alarmEmail }: AzureSettings): readonly Resource[] {
  if (amount === 0) return []
  const tells = (thresholdType: 'Actual' | 'Forecasted', threshold: number) => ({
    enabled: true,
    operator: 'GreaterThan',
    threshold,
    thresholdType,
    contactEmails: [alarmEmail],
  })
  return [
    {
      type: 'Microsoft.Consumption/budgets',
      apiVersion: API.budget,
      name: filledIn(`${prefix}-monthly`),
      properties: {
        category: 'Cost',
        amount,
        timeGrain: 'Monthly',
        timePeriod: { startDate: "[parameters('budgetStart')]" },
        notifications: { actual: tells('Actual', 80), forecast: tells('Forecasted', 100) },
      },
    },
  ]
}
