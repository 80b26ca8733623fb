// A filter in Go: adds a header to the request and one to the answer.
package main

import (
	"github.com/proxy-wasm/proxy-wasm-go-sdk/proxywasm"
	"github.com/proxy-wasm/proxy-wasm-go-sdk/proxywasm/types"
)

func main() {}

func init() {
	proxywasm.SetPluginContext(func(contextID uint32) types.PluginContext {
		return &pluginContext{}
	})
}

type pluginContext struct {
	types.DefaultPluginContext
	value string
}

// OnPluginStart reads the configuration: the value of the header.
func (p *pluginContext) OnPluginStart(size int) types.OnPluginStartStatus {
	p.value = "go"
	if data, err := proxywasm.GetPluginConfiguration(); err == nil && len(data) > 0 {
		p.value = string(data)
	}
	return types.OnPluginStartStatusOK
}

func (p *pluginContext) NewHttpContext(contextID uint32) types.HttpContext {
	return &httpContext{value: p.value}
}

type httpContext struct {
	types.DefaultHttpContext
	value string
}

func (h *httpContext) OnHttpRequestHeaders(count int, endOfStream bool) types.Action {
	if err := proxywasm.ReplaceHttpRequestHeader("x-gateway", h.value); err != nil {
		proxywasm.LogErrorf("x-gateway cannot be set: %v", err)
	}
	return types.ActionContinue
}

func (h *httpContext) OnHttpResponseHeaders(count int, endOfStream bool) types.Action {
	if err := proxywasm.AddHttpResponseHeader("x-filtered", "go"); err != nil {
		proxywasm.LogErrorf("x-filtered cannot be added: %v", err)
	}
	return types.ActionContinue
}
