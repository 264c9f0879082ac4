// SPDX-License-Identifier: Apache-2.0
import { onLambdaAs } from '../host/cloud/aws.ts'
import { parseBridgeConfig } from '../host/cloud/bridge-config.ts'
import { openBridging, SERVICE } from './alone.ts'

export const handler = onLambdaAs(parseBridgeConfig, { answers: openBridging, service: SERVICE })
