using System.Reflection;
using System.Runtime.Loader;
using SharpFuzz;

namespace Kv.Fuzz.Coverage;

/// <summary>
/// The program once more, with decoders that tell which branches they take: the libraries that hold them are rewritten by SharpFuzz before they are loaded. Nothing
/// on the disk is touched but a temporary copy.
/// </summary>
internal sealed class InstrumentedContext : AssemblyLoadContext
{
    private const string OwnPrefix = "Kv.";

    /// <summary>Where outside bytes are decoded. The cluster's own machinery runs on timers of its own, and would show as branches that no input took.</summary>
    private static readonly string[] Instrumented = ["Kv.Core", "Kv.Protos", "Kv.Storage", "Kv.Wire"];

    private InstrumentedContext()
        : base("instrumented")
    {
    }

    /// <summary>Runs the program's entry point in the context and gives its exit code.</summary>
    public static int Run(string[] arguments)
    {
        CoverageMap.Attach();
        var program = new InstrumentedContext().LoadFromAssemblyPath(typeof(InstrumentedContext).Assembly.Location);
        return (int)program.EntryPoint!.Invoke(null, [arguments])!;
    }

    /// <summary>What is none of ours is shared with the program outside.</summary>
    protected override Assembly? Load(AssemblyName assemblyName)
    {
        var path = Path.Combine(AppContext.BaseDirectory, assemblyName.Name + ".dll");
        return assemblyName.Name!.StartsWith(OwnPrefix, StringComparison.Ordinal) && File.Exists(path)
            ? LoadFromStream(new MemoryStream(Instrumented.Contains(assemblyName.Name) ? Rewritten(path) : File.ReadAllBytes(path)))
            : null;
    }

    private static byte[] Rewritten(string path)
    {
        var directory = Directory.CreateTempSubdirectory("kv-fuzz-");
        try
        {
            var copy = Path.Combine(directory.FullName, Path.GetFileName(path));
            File.Copy(path, copy);
            Fuzzer.Instrument(copy, static _ => true, Options.Value);
            return File.ReadAllBytes(copy);
        }
        finally
        {
            directory.Delete(recursive: true);
        }
    }
}
