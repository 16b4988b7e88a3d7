using System.CommandLine;
using Kv.Operator.Commands;

var root = new RootCommand("Runs key-value clusters: on Kubernetes, or as processes on this machine.")
{
    RunCommand.Create(),
    LocalCommand.Create(),
    CrdsCommand.Create(),
};

// Commands end cleanly by themselves when asked to, and take the time that they need.
return await root.Parse(args).InvokeAsync(new InvocationConfiguration { ProcessTerminationTimeout = null });
