export { Answer, fixedAnswer, UpstreamFailure } from './answer.ts'
export { BodyTooLarge } from './request-body.ts'
export { closeGracefully, createGateway, type Gateway, type GatewayOptions, type RequestContext, type RequestRecord } from './gateway.ts'
export { Route, type RouteSettings } from './route.ts'
