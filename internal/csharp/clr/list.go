package clr

import (
	"sync"

	"github.com/causeway-apim/causeway/internal/csharp"
)

// declarations lists the files of the library: one function each. The order matters only where two types share a short name:
// the first is meant.
func declarations() []func(*csharp.Builder) {
	return []func(*csharp.Builder){
		declareObject,
		declareDelegates,
		declareString,
		declareStringBuilder,
		declareChar,
		declareBoolean,
		declareNumbers,
		declareConvert,
		declareMath,
		declareArray,
		declareCollections,
		declareDictionary,
		declareSets,
		declareTuple,
		declareLinq,
		declareExceptions,
		declareDateTime,
		declareTimeSpan,
		declareTimeZone,
		declareRandom,
		declareGuid,
		declareDateTimeOffset,
		declareJSON,
		declareEncoding,
		declareBitConverter,
		declareHashes,
		declareHMAC,
		declareRNG,
		declareSymmetric,
		declareRSA,
		declareX509,
		declareRegex,
		declareURI,
		declareUriBuilder,
		declareWebUtility,
		declareIPAddress,
		declareTextIO,
		declareXML,
		declareDOM,
		declareXMLReader,
		declareXMLWriter,
		declareXPathExtensions,
	}
}

var library = sync.OnceValue(func() *csharp.Library {
	b := csharp.NewBuilder()
	b.Hooks(csharp.Hooks{Format: Format})
	for _, d := range declarations() {
		d(b)
	}
	lib, err := b.Build()
	if err != nil {
		panic(err) // a faulty declaration is a bug
	}
	return lib
})

// Library gives the .NET library. It is built once and immutable.
func Library() *csharp.Library { return library() }
