// SPDX-License-Identifier: Apache-2.0
import { HOME_OPERATIONS } from '#functions/roles.ts'
import type { Identity } from '#infra/permissions/identities.ts'
import { after, API, COSMOS, filledIn, HERE, namesOf, SITES, VAULTS, type Resource } from './references.ts'
import { queryOf, SEARCH_MINUTES, searchesOf, type Search } from './searches.ts'
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

/** Where roles write, who is told and of what, and a budget. Nothing that is sent names a patient, an institution or a key. */
export function alarms(settings: AzureSettings): readonly Resource[] {
  const { prefix } = settings
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
    ...searchesOf(settings).map((one) => queryAlert(prefix, one)),
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
    // What is only woken answers nothing; that it failed is found in the logs.
    ...identities.filter(answersRequests).map(({ name }) => ({
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

function answersRequests({ name }: Identity): boolean {
  const operations: Readonly<Record<string, readonly unknown[]>> = HOME_OPERATIONS
  return (operations[name] ?? []).length > 0
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

function queryAlert(prefix: string, search: Search): Resource {
  const { name, says, minutes, faults } = search
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
            query: queryOf(search),
            timeAggregation: 'Count',
            dimensions: [{ name: 'fault', operator: 'Include', values: faults.map((fault) => fault.name) }],
            operator: 'GreaterThan',
            threshold: 0,
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
