Func<Type, string> name = null;
var keywords = new Dictionary<string, string> {
    { "System.Int32", "int" }, { "System.String", "string" }, { "System.Boolean", "bool" }, { "System.Object", "object" },
    { "System.Char", "char" }, { "System.Byte", "byte" }, { "System.SByte", "sbyte" }, { "System.Int16", "short" },
    { "System.UInt16", "ushort" }, { "System.UInt32", "uint" }, { "System.Int64", "long" }, { "System.UInt64", "ulong" },
    { "System.Single", "float" }, { "System.Double", "double" }, { "System.Decimal", "decimal" }, { "System.Void", "void" } };
name = t => {
    if (t.IsByRef) return name(t.GetElementType());
    if (t.IsArray) return name(t.GetElementType()) + "[]";
    if (t.IsPointer) return name(t.GetElementType()) + "*";
    if (t.IsGenericParameter) return t.Name;
    var inner = Nullable.GetUnderlyingType(t);
    if (inner != null) return name(inner) + "?";
    string k;
    if (t.FullName != null && keywords.TryGetValue(t.FullName, out k)) return k;
    if (t.FullName != null && t.FullName.StartsWith("System.ValueTuple`")) return "(" + string.Join(", ", t.GetGenericArguments().Select(name)) + ")";
    var i = t.Name.IndexOf('`');
    return (i < 0 ? t.Name : t.Name.Substring(0, i)) + (t.IsGenericType ? "<" + string.Join(", ", t.GetGenericArguments().Select(name)) + ">" : "");
};
Func<System.Reflection.ParameterInfo, string> param = p =>
    (p.ParameterType.IsByRef ? p.IsOut ? "out " : "ref " : p.IsDefined(typeof(ParamArrayAttribute), false) ? "params " : "") + name(p.ParameterType) + " " + p.Name;
var lines = new List<string>();
for (var t = typeof(SUBJECT); t != null && t != typeof(object) && t != typeof(ValueType) && t != typeof(Enum); t = t.BaseType) {
    lines.Add("type " + t.FullName);
    foreach (var m in t.GetMembers(System.Reflection.BindingFlags.Public | System.Reflection.BindingFlags.Instance | System.Reflection.BindingFlags.Static | System.Reflection.BindingFlags.DeclaredOnly)) {
        if (m.IsDefined(typeof(ObsoleteAttribute), false)) continue;
        var c = m as System.Reflection.ConstructorInfo;
        var f = m as System.Reflection.FieldInfo;
        var p = m as System.Reflection.PropertyInfo;
        var x = m as System.Reflection.MethodInfo;
        if (c != null && !c.IsStatic) lines.Add("new .ctor(" + string.Join(", ", c.GetParameters().Select(param)) + ")");
        else if (f != null && !f.IsSpecialName) lines.Add(name(f.FieldType) + " " + f.Name);
        else if (p != null && p.GetIndexParameters().Length == 0) lines.Add(name(p.PropertyType) + " " + p.Name);
        else if (p != null) lines.Add(name(p.PropertyType) + " this(" + string.Join(", ", p.GetIndexParameters().Select(param)) + ")");
        else if (x != null && !x.IsSpecialName) lines.Add(name(x.ReturnType) + " " + x.Name + "(" + string.Join(", ", x.GetParameters().Select(param)) + ")");
        else if (x != null && (x.Name == "op_Implicit" || x.Name == "op_Explicit")) lines.Add("conversion " + name(x.ReturnType) + "(" + string.Join(", ", x.GetParameters().Select(param)) + ")");
    }
}
return string.Join("\n", lines);
