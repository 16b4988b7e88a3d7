# Each target is one command: `make help` lists them. They need the .NET SDK and nothing else, but `e2e`, `chaos` and
# `image` (network, for the image that ours stand on), which say what they need.
export DOTNET_NOLOGO := 1
export DOTNET_CLI_TELEMETRY_OPTOUT := 1
CONFIGURATION ?= Release
DATA ?= .kv
build := dotnet build -c $(CONFIGURATION) -v quiet -nologo -tl:off -clp:NoSummary

.PHONY: help
help: ## This list
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  make %-9s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: sdk
sdk:
	@dotnet --version >/dev/null 2>&1 || { echo "The .NET SDK $$(sed -nE 's/.*"version": "([0-9]+\.[0-9]+).*/\1/p' global.json) is missing: install it from https://dotnet.microsoft.com/download" >&2; exit 1; }

.PHONY: build
build: sdk ## Build the programs: bin/kv, bin/kv-operator, bin/kv-node
	@$(build) .build/programs.slnf
	@$(link-programs)

# An executable finds its libraries beside the file that a link names, so nothing is built or copied twice.
define link-programs
mkdir -p bin; \
for pair in kv:Kv.Kubectl kv-operator:Kv.Operator kv-node:Kv.Node; do \
  ln -sfn "../.artifacts/bin/$${pair#*:}/$$(echo $(CONFIGURATION) | tr A-Z a-z)/$${pair%%:*}" "bin/$${pair%%:*}"; \
done; \
ln -sfn kv bin/kubectl-kv
endef

.PHONY: run
run: build ## Run the clusters of crds/examples on this machine, until Ctrl-C; their data stays in .kv
	@exec bin/kv-operator local crds/examples --data $(DATA)

.PHONY: all
all: sdk
	@$(build) Kv.Operator.sln
	@$(link-programs)

.PHONY: test
test: all ## Build everything, check the formatting, run every test but the end-to-end ones (`make e2e`)
	@dotnet format whitespace --folder --verify-no-changes --exclude .artifacts --verbosity minimal .
	@tests/run

.PHONY: e2e
e2e: all ## End-to-end tests: rings on this machine, the chart, Riak's client; and Kubernetes ($KUBECONFIG's cluster, else one that tests/kube starts: root, Debian 12)
	@LIMIT=45m REPORTER=verbose tests/run Kv.EndToEnd

.PHONY: bench
bench: build ## The benchmark: three local nodes, beside a Redis and an etcd where installed (ARGS='--restart 1000000', ARGS=--help)
	@$(build) tests/Kv.Benchmarks
	@exec .artifacts/bin/Kv.Benchmarks/$$(echo $(CONFIGURATION) | tr A-Z a-z)/Kv.Benchmarks $(ARGS)

.PHONY: simulation
simulation: sdk
	@$(build) tests/Kv.Simulation

simulate = .artifacts/bin/Kv.Simulation/$$(echo $(CONFIGURATION) | tr A-Z a-z)/Kv.Simulation

.PHONY: sim
sim: simulation ## One simulated run, told in full: SEED=n or PLAN=file (ONLY=3,7-9 leaves its other events out, MESSAGES=1 tells messages too, BUG=name plants a bug)
	@exec $(simulate) run $(or $(PLAN),$(SEED)) $(if $(ONLY),--only $(ONLY)) $(if $(MESSAGES),--messages) $(if $(BUG),--bug $(BUG))

.PHONY: sim-swarm
sim-swarm: MINUTES ?= 1
sim-swarm: simulation ## Simulated runs of new seeds for MINUTES=n; one that fails is made short, told and kept as a plan
	@exec $(simulate) swarm --minutes $(MINUTES) $(if $(SEED),--first $(SEED)) $(if $(WITH),--with '$(WITH)')

.PHONY: sim-bugs
sim-bugs: simulation ## Plants each of the known bugs in turn, and finds it within its number of seeds (BUG=name one, PART=k/n every n-th)
	@exec $(simulate) bugs $(BUG) $(if $(PART),--part $(PART))

.PHONY: stories
stories: simulation ## Write the transcripts of the simulated stories anew, to be read as a diff
	@exec $(simulate) stories tests/Kv.Simulation/Stories

.PHONY: fuzz
fuzz: SECONDS ?= 60
fuzz: sdk ## Inputs made to break them for every decoder of outside bytes, SECONDS=60 in all (TARGET=name, SEED=n; INPUT=file tries that one)
	@$(build) tests/Kv.Fuzz
	@exec .artifacts/bin/Kv.Fuzz/$$(echo $(CONFIGURATION) | tr A-Z a-z)/Kv.Fuzz $(or $(TARGET),all) $(if $(INPUT),--input $(INPUT),--seconds $(SECONDS) $(if $(SEED),--seed $(SEED)))

.PHONY: chaos
chaos: MINUTES ?= 10
chaos: build ## Real nodes in network namespaces under faults from a seed (MINUTES=10, SEED=n); root on Linux
	@$(build) tests/Kv.Chaos
	@exec tests/chaos --minutes $(MINUTES) $(if $(SEED),--seed $(SEED)) $(if $(ONLY),--only $(ONLY))

.PHONY: crds
crds: build ## Write crds/ and the chart's copies from the C# types
	@bin/kv-operator crds crds
	@charts/kv-operator/sync-crds

.PHONY: image
image: sdk ## Container images of node and operator as archives in .artifacts/images; or pushed: REGISTRY=host[/path] (BASE_IMAGE=reference)
	@.build/image $(if $(findstring command,$(origin REGISTRY)),$(REGISTRY))

.PHONY: fmt
fmt: sdk ## Format the source files
	@dotnet format whitespace --folder --exclude .artifacts --verbosity minimal .

.PHONY: clean
clean: ## Remove what was built; data in .kv stays
	@rm -rf .artifacts bin
