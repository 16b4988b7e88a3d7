using System.Globalization;
using Kv.Simulation.Commands;

CultureInfo.DefaultThreadCurrentCulture = CultureInfo.InvariantCulture;
return args switch
{
    ["run", .. var rest] => RunCommand.Run(rest),
    ["swarm", .. var rest] => SwarmCommand.Run(rest),
    ["keep", .. var rest] => KeepCommand.Run(rest),
    ["bugs", .. var rest] => BugsCommand.Run(rest),
    ["stories", .. var rest] => StoriesCommand.Run(rest),
    _ => Usage(),
};

static int Usage()
{
    Console.Error.WriteLine("""
        Kv.Simulation run SEED|PLAN-FILE [--only NUMBERS] [--messages] [--bug NAME]     one run, told in full
        Kv.Simulation keep SEED PLAN-FILE                        makes the plan of a seed that fails short, and writes it
        Kv.Simulation swarm [--minutes N] [--first SEED] [--with TEXT]         runs until the time is over, or one fails; seeds whose plan has the text
        Kv.Simulation bugs [NAME... | --part K/N]                plants each bug and looks for it
        Kv.Simulation stories [DIRECTORY]                        tells the stories, or writes them there
        """);
    return 2;
}
