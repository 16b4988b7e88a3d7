using System.Globalization;
using System.Runtime.Loader;
using Kv.Fuzz;
using Kv.Fuzz.Coverage;

CultureInfo.DefaultThreadCurrentCulture = CultureInfo.InvariantCulture;
return AssemblyLoadContext.GetLoadContext(typeof(FuzzCommand).Assembly) == AssemblyLoadContext.Default ? InstrumentedContext.Run(args) : FuzzCommand.Run(args);
