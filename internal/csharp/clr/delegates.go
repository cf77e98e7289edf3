package clr

import "github.com/causeway-apim/causeway/internal/csharp"

func declareDelegates(b *csharp.Builder) {
	b.Type("class System.Delegate", csharp.Go[delegate]())
	for _, d := range []string{
		"void System.Action()", "void System.Action<T>(T obj)", "void System.Action<T1, T2>(T1 arg1, T2 arg2)",
		"void System.Action<T1, T2, T3>(T1 arg1, T2 arg2, T3 arg3)",
		"void System.Action<T1, T2, T3, T4>(T1 arg1, T2 arg2, T3 arg3, T4 arg4)",
		"TResult System.Func<TResult>()", "TResult System.Func<T, TResult>(T arg)",
		"TResult System.Func<T1, T2, TResult>(T1 arg1, T2 arg2)",
		"TResult System.Func<T1, T2, T3, TResult>(T1 arg1, T2 arg2, T3 arg3)",
		"TResult System.Func<T1, T2, T3, T4, TResult>(T1 arg1, T2 arg2, T3 arg3, T4 arg4)",
		"TResult System.Func<T1, T2, T3, T4, T5, TResult>(T1 arg1, T2 arg2, T3 arg3, T4 arg4, T5 arg5)",
		"bool System.Predicate<T>(T obj)", "int System.Comparison<T>(T x, T y)",
		"TOutput System.Converter<TInput, TOutput>(TInput input)",
	} {
		b.Type("delegate "+d, csharp.NoGo())
	}
}
